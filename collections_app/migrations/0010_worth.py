"""What the value of a copy is made of: own figures, and the grade as it was."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("collections_app", "0009_price_decisions"),
    ]

    operations = [
        migrations.AddField(
            model_name="collectioninstance",
            name="decided_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="collectioninstance",
            name="grade_edited_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="collectioninstance",
            name="own_minor",
            field=models.BigIntegerField(
                blank=True, help_text="The owner's own figure, in minor units of USD.", null=True
            ),
        ),
        migrations.AddField(
            model_name="collectioninstance",
            name="own_set_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="preferences",
            name="basis",
            field=models.CharField(
                choices=[("floor", "Lowest listing"), ("grade", "By grade")], default="floor", max_length=5
            ),
        ),
        migrations.CreateModel(
            name="GradeEdit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("before", models.TextField(blank=True)),
                ("edited_at", models.DateTimeField()),
                (
                    "copy",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grade_edits",
                        to="collections_app.collectioninstance",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("copy", "edited_at"), name="one_grade_edit_at_a_time")
                ],
            },
        ),
        migrations.CreateModel(
            name="OwnValue",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "amount_minor",
                    models.BigIntegerField(
                        blank=True, help_text="As its owner typed it; empty: withdrawn.", null=True
                    ),
                ),
                ("currency", models.CharField(blank=True, max_length=3)),
                (
                    "usd_minor",
                    models.BigIntegerField(
                        blank=True, help_text="At the rate of that day, in minor units of USD.", null=True
                    ),
                ),
                ("note", models.TextField(blank=True)),
                ("set_at", models.DateTimeField()),
                (
                    "copy",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="own_values",
                        to="collections_app.collectioninstance",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("copy", "set_at"), name="one_own_value_at_a_time"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("amount_minor__gte", 0),
                                ("usd_minor__gte", 0),
                                models.Q(("currency", ""), _negated=True),
                            ),
                            models.Q(
                                ("amount_minor__isnull", True), ("currency", ""), ("usd_minor__isnull", True)
                            ),
                            _connector="OR",
                        ),
                        name="own_value_is_an_amount",
                    ),
                ],
            },
        ),
    ]
