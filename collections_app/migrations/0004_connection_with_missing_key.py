# A connection whose credential cannot be opened is not one that Discogs has refused.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("collections_app", "0003_a_true_mirror"),
    ]

    operations = [
        migrations.AlterField(
            model_name="discogsconnection",
            name="state",
            field=models.CharField(
                choices=[
                    ("active", "Connected"),
                    ("reconnect_needed", "Reconnect needed"),
                    ("unreadable", "Key missing"),
                    ("private", "Collection is private"),
                    ("gone", "Not at Discogs any more"),
                ],
                default="active",
                max_length=20,
            ),
        ),
    ]
