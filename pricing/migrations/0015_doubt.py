"""Whether a reading is doubted. Readings of before count as they did."""

from django.db import migrations, models

DOUBTS = [(0, "None"), (1, "Jumped from the last price"), (2, "Far below Discogs’ suggestion")]


def doubt() -> models.SmallIntegerField:
    return models.SmallIntegerField(choices=DOUBTS, default=0, help_text="Why the price does not count yet.")


class Migration(migrations.Migration):
    dependencies = [("pricing", "0014_baselines")]

    operations = [
        migrations.AddField(model_name="pricesnapshot", name="doubt", field=doubt()),
        migrations.AddField(model_name="releaseprice", name="doubt", field=doubt()),
        migrations.AddField(
            model_name="releaseprice",
            name="doubted_minor",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="releaseprice",
            name="doubted_on",
            field=models.DateField(blank=True, null=True),
        ),
    ]
