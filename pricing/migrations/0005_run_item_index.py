"""The index that 0003 made by hand, told to Django: nothing changes in the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("pricing", "0004_exchange_rates")]
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddIndex(
                    model_name="runitem",
                    index=models.Index(fields=["run", "job"], name="run_item_by_job"),
                ),
            ],
        ),
    ]
