"""How right predictions were: what requests and runs found, calibration by day, and runs that narrow a band."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pricing", "0015_doubt"),
    ]

    operations = [
        migrations.AddField(
            model_name="pricejob",
            name="after_minor",
            field=models.BigIntegerField(
                blank=True, help_text="The price that the request found.", null=True
            ),
        ),
        migrations.AddField(
            model_name="syncrun",
            name="expected_variance",
            field=models.FloatField(
                blank=True,
                help_text="The variance of that sum as known before, in squared minor units.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="syncrun",
            name="fell",
            field=models.PositiveIntegerField(blank=True, help_text="Releases whose price fell.", null=True),
        ),
        migrations.AddField(
            model_name="syncrun",
            name="found_minor",
            field=models.BigIntegerField(blank=True, help_text="Sum of copies x change.", null=True),
        ),
        migrations.AddField(
            model_name="syncrun",
            name="half_before_minor",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="syncrun",
            name="predicted_half_minor",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="syncrun",
            name="reached_half_minor",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="syncrun",
            name="rose",
            field=models.PositiveIntegerField(blank=True, help_text="Releases whose price rose.", null=True),
        ),
        migrations.CreateModel(
            name="Calibration",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField(unique=True)),
                ("readings", models.PositiveIntegerField()),
                (
                    "z2_sum",
                    models.FloatField(
                        help_text="Sum over readings of the squared change of the log price / variance."
                    ),
                ),
                ("bands", models.PositiveIntegerField(help_text="Finished runs whose change was predicted.")),
                (
                    "covered",
                    models.PositiveIntegerField(help_text="Those whose change lay within the 80 % band."),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("covered__lte", models.F("bands"))), name="covered_bands"
                    )
                ],
            },
        ),
    ]
