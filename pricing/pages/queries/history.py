"""The daily value of a user's collection, and the prices of releases behind a small chart."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from itertools import groupby

from django.db.models import Count, F, Min, Window
from django.db.models.functions import RowNumber

from collections_app.models import CollectionInstance
from pricing.daily.stored import as_row
from pricing.models import CollectionValue, PriceSnapshot
from pricing.value.cascade import Basis
from pricing.value.valuation import Value

# Rows of the table behind a chart.
TABLE_ROWS = 100
# Points of a sparkline: it is no wider than that many strokes.
MAX_POINTS = 30


def first_value_day(user_id: int, basis: Basis = Basis.FLOOR, *, start: date = date.min) -> date | None:
    """The first day with a value, from `start` on. One query."""
    days = CollectionValue.objects.filter(user_id=user_id, basis=basis, day__gte=start)
    first: date | None = days.aggregate(day=Min("day"))["day"]
    return first


def daily_values(user_id: int, *, start: date, today: date, value: Value) -> list[CollectionValue]:
    """The days from `start` in order, ending with what the collection is worth now. One query.

    A day on which nothing was priced has no value to show, so it is left out. Today's parts are those stored last.
    """
    days = CollectionValue.objects.filter(
        user_id=user_id, basis=value.basis, day__range=(start, today), currency=value.currency
    )
    rows = list(days.order_by("day"))
    stored = rows.pop() if rows and rows[-1].day == today else None
    if not value.priced:
        return rows
    now = as_row(user_id, value, day=today)
    if stored:
        now.like_minor, now.price_minor = stored.like_minor, stored.price_minor
    return [*rows, now]


def copies_removed_after(user_id: int, day: date) -> int:
    """How many copies that were held at the end of a day have been removed since. One query."""
    end = datetime.combine(day, time.max, UTC)
    return CollectionInstance.objects.of(user_id).filter(removed_at__gt=end, added_at__lte=end).count()


def history_of(release_ids: Iterable[int], *, start: date) -> dict[int, list[tuple[date, int | None]]]:
    """The lowest prices of each release from `start` on, in order: at even steps, at most MAX_POINTS. One query.

    The newest is always among them. The database leaves the others out: making rows of them would take longer.
    """
    place = Window(RowNumber(), partition_by="release", order_by="-day") - 1
    step = (Window(Count("*"), partition_by="release") + MAX_POINTS - 1) / MAX_POINTS
    readings = PriceSnapshot.objects.filter(release__in=release_ids, day__gte=start)
    shown = readings.annotate(place=place, step=step).annotate(left=F("place") % F("step")).filter(left=0)
    rows = shown.order_by("release", "day").values_list("release_id", "day", "amount_minor", "doubt")
    return {
        release: [(day, None if doubt else amount) for _, day, amount, doubt in group]
        for release, group in groupby(rows, key=lambda row: row[0])
    }
