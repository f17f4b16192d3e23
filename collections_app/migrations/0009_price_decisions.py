"""What owners decide about doubted prices."""

import django.db.models.deletion
from django.db import migrations, models

DECISIONS = [("", "Not decided"), ("count", "Counted by you"), ("never", "Left out by you")]


class Migration(migrations.Migration):
    dependencies = [("collections_app", "0008_no_index_twice")]

    operations = [
        migrations.AddField(
            model_name="collectioninstance",
            name="price_decision",
            field=models.CharField(blank=True, choices=DECISIONS, default="", max_length=5),
        ),
        migrations.CreateModel(
            name="PriceDecision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("decision", models.CharField(blank=True, choices=DECISIONS, max_length=5)),
                ("decided_at", models.DateTimeField()),
                (
                    "connection",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="decisions",
                        to="collections_app.discogsconnection",
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="collections_app.release",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("connection", "release", "decided_at"), name="one_decision_at_a_time"
                    )
                ],
            },
        ),
    ]
