"""Suggestions as one number, values of each basis with the parts of their change, the market, and the range of Discogs."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("collections_app", "0010_worth"),
        ("pricing", "0016_accuracy"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DiscogsRange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="ranges",
                        to="collections_app.discogsconnection",
                    ),
                ),
                ("day", models.DateField()),
                ("currency", models.CharField(max_length=3)),
                ("minimum_minor", models.BigIntegerField()),
                ("median_minor", models.BigIntegerField()),
                ("maximum_minor", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="EarlierPrice",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "release", "day", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="earlier_prices",
                        to="collections_app.release",
                    ),
                ),
                ("day", models.DateField()),
                ("amount_minor", models.PositiveIntegerField()),
                ("observed_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="MarketDay",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("before_minor", models.BigIntegerField()),
                ("after_minor", models.BigIntegerField()),
                ("releases", models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="NearMintPrice",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "release", "day", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="near_mint_prices",
                        to="collections_app.release",
                    ),
                ),
                ("day", models.DateField()),
                (
                    "amount_minor",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="In minor units of USD; empty: Discogs suggests nothing any more.",
                        null=True,
                    ),
                ),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="collectionvalue",
            name="one_value_per_user_and_day",
        ),
        migrations.AddField(
            model_name="collectionvalue",
            name="added_minor",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="collectionvalue",
            name="basis",
            field=models.CharField(
                choices=[("floor", "Lowest listing"), ("grade", "By grade")], default="floor", max_length=5
            ),
        ),
        migrations.AddField(
            model_name="collectionvalue",
            name="coverage_minor",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="collectionvalue",
            name="expired_minor",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="collectionvalue",
            name="like_minor",
            field=models.BigIntegerField(
                default=0,
                help_text="Value on the day before of the copies that have a market price on both days.",
            ),
        ),
        migrations.AddField(
            model_name="collectionvalue",
            name="own_minor",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="collectionvalue",
            name="price_minor",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="collectionvalue",
            name="removed_minor",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="releaseprice",
            name="near_mint_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="releaseprice",
            name="near_mint_minor",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="releaseprice",
            name="near_mint_since",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="valuerequest",
            name="rebuild_from",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="collectionvalue",
            constraint=models.UniqueConstraint(
                fields=("user", "basis", "day"), name="one_value_per_user_basis_and_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="discogsrange",
            constraint=models.UniqueConstraint(
                fields=("connection", "day"), name="one_range_per_connection_and_day"
            ),
        ),
    ]
