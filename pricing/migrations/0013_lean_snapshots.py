"""Store snapshots without a number of their own, in narrower columns, in order of release and day.

The rows are copied: PostgreSQL neither moves a column nor gives back the space of a dropped one. Schema and data go
together, since each is of no use without the other. On PostgreSQL a million snapshots take about 14 seconds, and the
disk needs room for both tables until the end; the table is locked meanwhile.

Also drop indexes of foreign keys that another index begins with.
"""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from pricing.models.fields import CodedField, HundredthsField

STATUSES = [
    ("priced", "Priced"),
    ("none_for_sale", "None for sale"),
    ("blocked", "Blocked from sale"),
    ("gone", "Gone from Discogs"),
]
STATUS_CODES = {"priced": 1, "none_for_sale": 2, "blocked": 3, "gone": 4}
CURRENCY_CODES = {
    "": 0, "USD": 840, "GBP": 826, "EUR": 978, "CAD": 124, "AUD": 36, "JPY": 392,
    "CHF": 756, "MXN": 484, "BRL": 986, "NZD": 554, "SEK": 752, "ZAR": 710,
}  # fmt: skip
SOURCES = [("discogs", "Discogs"), ("demo", "Made up for the demo")]
SOURCE_CODES = {"discogs": 1, "demo": 2}
CODED = {"status": STATUS_CODES, "currency": CURRENCY_CODES, "source": SOURCE_CODES}
SAME = (
    "release_id", "observed_at", "day", "amount_minor", "num_for_sale", "want", "have",
    "rating_count", "duration_ms",
)  # fmt: skip
OLD, LEAN = "pricing_pricesnapshot", "pricing_leansnapshot"


def copy_forward(apps: Any, schema_editor: Any) -> None:
    """A value without a code stops the copy: the column takes no null."""
    coded = {
        name: _case(name, {f"'{text}'": str(code) for text, code in CODED[name].items()}) for name in CODED
    }
    is_postgresql = schema_editor.connection.vendor == "postgresql"
    if is_postgresql:
        schema_editor.execute(f"ALTER TABLE {LEAN} DROP CONSTRAINT {LEAN}_pkey")
    _copy(schema_editor, OLD, LEAN, {**coded, "rating_average": "ROUND(rating_average * 100)"})
    if is_postgresql:
        # With the amount in what would be padding, the key answers every search for a price on its own: the rows of a
        # release, written a day apart, lie on as many pages. Pages are read before autovacuum has looked at it.
        schema_editor.execute(
            f"ALTER TABLE {LEAN} ADD CONSTRAINT snapshot_by_release_and_day"
            " PRIMARY KEY (release_id, day) INCLUDE (amount_minor)"
        )
        schema_editor.execute(f"ANALYZE {LEAN}")


def copy_back(apps: Any, schema_editor: Any) -> None:
    coded = {name: _case(name, {str(code): f"'{text}'" for text, code in CODED[name].items()}) for name in CODED}
    _copy(schema_editor, LEAN, OLD, {**coded, "rating_average": "rating_average / 100.0"})


def _case(column: str, values: dict[str, str]) -> str:
    return f"CASE {column} {' '.join(f'WHEN {before} THEN {after}' for before, after in values.items())} END"


def _copy(schema_editor: Any, source: str, target: str, changed: dict[str, str]) -> None:
    schema_editor.execute(
        f"INSERT INTO {target} ({', '.join((*SAME, *changed))})"  # noqa: S608 constants of this file
        f" SELECT {', '.join((*SAME, *changed.values()))} FROM {source} ORDER BY release_id, day"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("collections_app", "0007_unread_rows_and_confirmation"),
        ("pricing", "0012_learn_from_history"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="LeanSnapshot",
            # In the order of the columns: PostgreSQL pads each to a multiple of its width.
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
                        related_name="snapshots",
                        to="collections_app.release",
                    ),
                ),
                ("observed_at", models.DateTimeField()),
                ("day", models.DateField()),
                (
                    "amount_minor",
                    models.PositiveIntegerField(
                        blank=True, help_text="Lowest listing, in minor units.", null=True
                    ),
                ),
                ("num_for_sale", models.PositiveIntegerField(blank=True, null=True)),
                ("want", models.PositiveIntegerField(blank=True, null=True)),
                ("have", models.PositiveIntegerField(blank=True, null=True)),
                ("rating_count", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "duration_ms",
                    models.PositiveIntegerField(
                        blank=True, help_text="How long Discogs took to answer.", null=True
                    ),
                ),
                ("rating_average", HundredthsField(blank=True, null=True)),
                ("status", CodedField(choices=STATUSES, codes=STATUS_CODES)),
                ("currency", CodedField(blank=True, codes=CURRENCY_CODES, default="")),
                ("source", CodedField(choices=SOURCES, codes=SOURCE_CODES, default="discogs")),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("amount_minor__gte", 0),
                                ("amount_minor__isnull", False),
                                ("status", "priced"),
                                models.Q(("currency", ""), _negated=True),
                            ),
                            models.Q(
                                models.Q(("status", "priced"), _negated=True), ("amount_minor__isnull", True)
                            ),
                            _connector="OR",
                        ),
                        name="snapshot_priced_has_amount",
                    ),
                ],
            },
        ),
        migrations.RunPython(copy_forward, copy_back),
        migrations.DeleteModel(name="PriceSnapshot"),
        migrations.RenameModel(old_name="LeanSnapshot", new_name="PriceSnapshot"),
        migrations.AlterField(
            model_name="collectionvalue",
            name="user",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="values",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="marketstat",
            name="release",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="market_stats",
                to="collections_app.release",
            ),
        ),
        migrations.AlterField(
            model_name="pricesuggestion",
            name="release",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="suggestions",
                to="collections_app.release",
            ),
        ),
        migrations.AlterField(
            model_name="runitem",
            name="run",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="items",
                to="pricing.syncrun",
            ),
        ),
        # On PostgreSQL, to drop the index of a column drops each index of this column alone, with conditions too.
        migrations.RemoveConstraint(model_name="syncrun", name="one_active_run_per_user"),
        migrations.AlterField(
            model_name="syncrun",
            name="user",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="sync_runs",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="syncrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ("importing", "running", "paused"))),
                fields=("user",),
                name="one_active_run_per_user",
            ),
        ),
    ]
