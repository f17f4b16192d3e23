"""The daily value of a user's collection."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Min

from pricing.models import CollectionValue
from pricing.value.valuation import Value

# Rows of the table behind a chart.
TABLE_ROWS = 100


@dataclass(frozen=True, slots=True)
class ValuePoint:
    day: date
    amount_minor: int
    instances: int
    priced: int
    num_for_sale: int
    want: int


def first_value_day(user_id: int) -> date | None:
    first: date | None = CollectionValue.objects.filter(user_id=user_id).aggregate(day=Min("day"))["day"]
    return first


def value_points(user_id: int, *, start: date, today: date, value: Value) -> list[ValuePoint]:
    """The days from `start` in order, ending with what the collection is worth now. One query.

    A day on which nothing was priced has no value to show, so it is left out.
    """
    rows = (
        CollectionValue.objects.filter(
            user_id=user_id, day__gte=start, day__lt=today, priced__gt=0, currency=value.currency
        )
        .order_by("day")
        .values_list("day", "value_minor", "instances", "priced", "num_for_sale", "want")
    )
    points = [ValuePoint(*row) for row in rows]
    if value.priced:
        points.append(
            ValuePoint(
                today, value.amount_minor, value.instances, value.priced, value.num_for_sale, value.want
            )
        )
    return points
