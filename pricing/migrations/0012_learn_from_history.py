"""Learn from the history what the new columns of the latest prices hold."""

import math
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from django.db import connection, migrations, transaction

BATCH = 500  # releases in one transaction
CHUNK = 5_000  # snapshots fetched at a time
HALF_LIFE_DAYS, MAX_CHANGE, DAY_SECONDS = 180.0, math.log(3), 86_400


class Learned(NamedTuple):
    s2: float
    exposure_days: float
    last_minor: int
    last_priced_at: datetime


def learn(apps: Any, schema_editor: Any) -> None:
    """Set the columns of every release. An interrupted migration is repeated from the start and ends the same."""
    prices = apps.get_model("pricing", "ReleasePrice").objects
    snapshots = apps.get_model("pricing", "PriceSnapshot").objects
    after = -1
    while ids := list(prices.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        rows = snapshots.filter(release__in=ids, status="priced").order_by("release_id", "day")
        readings = rows.values_list("release_id", "observed_at", "amount_minor").iterator(CHUNK)
        _write(list(_learned(readings)))
        after = ids[-1]


def _learned(readings: Iterable[tuple[int, datetime, int]]) -> Iterator[tuple[int, Learned]]:
    for release_id, of_release in groupby(readings, key=lambda row: row[0]):
        learned: Learned | None = None
        for _, observed_at, amount_minor in of_release:
            learned = _add(learned, observed_at, amount_minor)
        if learned:
            yield release_id, learned


def _add(known: Learned | None, observed_at: datetime, amount_minor: int) -> Learned:
    if known is None:
        return Learned(0.0, 0.0, amount_minor, observed_at)
    days = (observed_at - known.last_priced_at).total_seconds() / DAY_SECONDS
    if days <= 0:
        return known._replace(last_minor=amount_minor, last_priced_at=observed_at)
    fade = 0.5 ** (days / HALF_LIFE_DAYS)
    change = min(abs(math.log(max(amount_minor, 1) / max(known.last_minor, 1))), MAX_CHANGE)
    return Learned(known.s2 * fade + change**2, known.exposure_days * fade + days, amount_minor, observed_at)


def _write(rows: list[tuple[int, Learned]]) -> None:
    # The database's own form of a time: a cursor does not convert it.
    moment = connection.ops.adapt_datetimefield_value
    values = [
        (row.s2, row.exposure_days, row.last_minor, moment(row.last_priced_at), release_id)
        for release_id, row in rows
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE pricing_releaseprice SET s2 = %s, exposure_days = %s, last_minor = %s, last_priced_at = %s"
            " WHERE release_id = %s",
            values,
        )


class Migration(migrations.Migration):
    atomic = False  # each batch is a transaction of its own
    dependencies = [("pricing", "0011_uncertainty")]
    operations = [migrations.RunPython(learn, migrations.RunPython.noop)]
