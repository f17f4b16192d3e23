"""What the refresh order learns replaces the volatility for each reading."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('collections_app', '0007_unread_rows_and_confirmation'),
        ('pricing', '0010_run_replaced_requests'),
    ]

    operations = [
        migrations.CreateModel(
            name='OwnerTotal',
            fields=[
                ('connection', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='collections_app.discogsconnection')),
                ('amount_minor', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='WeightPass',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(help_text='The UTC day that the pass belongs to.')),
                ('cursor', models.BigIntegerField(default=-1, help_text='The last release done; -1: not begun.')),
                ('stepped_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('threshold', models.FloatField(default=0, help_text='The least index at which a scheduled run fetches a release; 0 fetches all.')),
                ('wanted_per_day', models.FloatField(default=0, help_text="Requests a day that all users' intervals ask for.")),
            ],
        ),
        migrations.RemoveField(
            model_name='releaseprice',
            name='volatility',
        ),
        migrations.AddField(
            model_name='pricejob',
            name='before_minor',
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='pricejob',
            name='before_variance',
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='releaseprice',
            name='exposure_days',
            field=models.FloatField(default=0, help_text='Days between those prices, faded likewise.'),
        ),
        migrations.AddField(
            model_name='releaseprice',
            name='interval_hours',
            field=models.PositiveSmallIntegerField(blank=True, help_text='The shortest sync interval of its owners; none: it is not scheduled.', null=True),
        ),
        migrations.AddField(
            model_name='releaseprice',
            name='last_minor',
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='releaseprice',
            name='last_priced_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='releaseprice',
            name='prior_variance',
            field=models.FloatField(default=0.004, help_text='Variance of the log price per day in its class.'),
        ),
        migrations.AddField(
            model_name='releaseprice',
            name='s2',
            field=models.FloatField(default=0, help_text='Sum of the squared changes of the log price, faded.'),
        ),
        migrations.AddField(
            model_name='releaseprice',
            name='urgency',
            field=models.FloatField(default=0, help_text='Root of weight x variance per day.'),
        ),
        migrations.AddField(
            model_name='releaseprice',
            name='weight',
            field=models.FloatField(default=0, help_text='Sum over the owners of (copies x price / total) squared; renewed every night.'),
        ),
        migrations.CreateModel(
            name='MarketClass',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('listings_band', models.PositiveSmallIntegerField()),
                ('price_band', models.PositiveSmallIntegerField()),
                ('releases', models.PositiveIntegerField(help_text='Releases with a last price.')),
                ('s2', models.FloatField(help_text='Sum of the squared log price changes of its members, faded.')),
                ('exposure_days', models.FloatField(help_text='Days over which they were observed, faded likewise.')),
                ('variance', models.FloatField(help_text='Variance of the log price per day.')),
                ('p10_minor', models.BigIntegerField()),
                ('median_minor', models.BigIntegerField()),
                ('p90_minor', models.BigIntegerField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('listings_band', 'price_band'), name='market_class_once')],
            },
        ),
    ]
