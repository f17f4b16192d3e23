# How a user wants numbers, amounts and dates to be written. All begin with English, as before.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("collections_app", "0005_gate_clocks"),
    ]

    operations = [
        migrations.AddField(
            model_name="preferences",
            name="locale",
            field=models.CharField(
                default="en", help_text="A BCP 47 tag: how numbers and dates are written.", max_length=16
            ),
        ),
    ]
