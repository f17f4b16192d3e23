# What one USD is worth in the currencies that users have chosen.

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('pricing', '0003_queue_index'),
    ]

    operations = [
        migrations.CreateModel(
            name='ExchangeRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('currency', models.CharField(max_length=3, unique=True)),
                ('micros_per_usd', models.BigIntegerField(help_text='Millionths of a unit of the currency for one USD.')),
                ('observed_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('micros_per_usd__gt', 0)), name='rate_is_positive')],
            },
        ),
    ]
