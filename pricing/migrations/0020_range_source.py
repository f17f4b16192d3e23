"""Attempts at Discogs' range of a collection."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("pricing", "0019_no_suggestions")]

    operations = [
        migrations.AlterField(
            model_name="sourceattempt",
            name="source",
            field=models.CharField(
                choices=[
                    ("suggestions", "Price suggestions"),
                    ("exchange_rate", "Exchange rate"),
                    ("range", "Discogs’ range of a collection"),
                ],
                max_length=16,
            ),
        ),
    ]
