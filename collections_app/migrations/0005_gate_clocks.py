# Differences between the database's clock and the steady clocks of hosts.

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('collections_app', '0004_connection_with_missing_key'),
    ]

    operations = [
        migrations.AddField(
            model_name='apigate',
            name='clocks',
            field=models.JSONField(blank=True, default=list),
        ),
    ]
