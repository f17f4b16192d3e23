"""The daily value of a user's collection."""

from datetime import UTC, date, datetime, time

from django.db.models import Min

from collections_app.models import CollectionInstance
from pricing.models import CollectionValue
from pricing.value.daily import as_row
from pricing.value.valuation import Value

# Rows of the table behind a chart.
TABLE_ROWS = 100


def first_value_day(user_id: int) -> date | None:
    first: date | None = CollectionValue.objects.filter(user_id=user_id).aggregate(day=Min("day"))["day"]
    return first


def daily_values(user_id: int, *, start: date, today: date, value: Value) -> list[CollectionValue]:
    """The days from `start` in order, ending with what the collection is worth now. One query.

    A day on which nothing was priced has no value to show, so it is left out.
    """
    days = CollectionValue.objects.filter(
        user_id=user_id, day__gte=start, day__lt=today, priced__gt=0, currency=value.currency
    )
    rows = list(days.order_by("day"))
    return [*rows, as_row(user_id, value, day=today)] if value.priced else rows


def copies_removed_after(user_id: int, day: date) -> int:
    """How many copies that were held at the end of a day have been removed since. One query."""
    end = datetime.combine(day, time.max, UTC)
    return CollectionInstance.objects.of(user_id).filter(removed_at__gt=end, added_at__lte=end).count()
