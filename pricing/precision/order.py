"""Which release a scheduled run asks for next: the rule and its twin for the database. docs/refresh.md.

Releases never fetched go first; then those past the deadline, the oldest first; then the largest index.
"""

from datetime import datetime
from typing import Any

from django.db.models import Case, DateTimeField, F, FloatField, Func, OrderBy, Value, When
from django.db.models.expressions import Combinable

from collections_app.discogs.payloads import MarketStatus
from collections_app.times import MAX_SKEW
from pricing.precision.estimator import in_days, index
from pricing.precision.threshold import DEADLINE

Turn = tuple[int, float]
# They cannot be sold, so they keep a slow rhythm of their own, which no threshold delays.
UNSELLABLE = (MarketStatus.BLOCKED.value, MarketStatus.GONE.value)

FIRST, OVERDUE, BY_INDEX = range(3)
NEVER_FETCHED: Turn = (FIRST, 0.0)


def turn_of(observed_at: datetime | None, urgency: float, *, now: datetime) -> Turn:
    """The place of a release in the order: the smallest goes next. A time in the future counts as never."""
    if observed_at is None or observed_at > now + MAX_SKEW:
        return NEVER_FETCHED
    age = now - observed_at
    if age >= DEADLINE:
        return OVERDUE, -in_days(age)
    return BY_INDEX, -index(in_days(age), urgency)


def is_worth_a_request(status: str, turn: Turn, *, threshold: float) -> bool:
    """Whether a scheduled run fetches a release that is due, while not all intervals fit the request limit."""
    return turn[0] != BY_INDEX or -turn[1] >= threshold or status in UNSELLABLE


class AgeInDays(Func):
    """The days from the first time to the second, which both databases compute without a call into Python."""

    output_field = FloatField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="(julianday(%(expressions)s))", arg_joiner=") - julianday("
        )

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "(EXTRACT(EPOCH FROM (%(expressions)s)) / 86400.0)"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" - ")


def by_turn(now: datetime, *, price: str) -> list[OrderBy]:
    """The twin of `turn_of` for ORDER BY; `price` is the lookup path to the ReleasePrice."""
    observed_at = f"{price}observed_at"
    age = AgeInDays(Value(now, DateTimeField()), F(observed_at))
    unread = When(**{f"{observed_at}__isnull": True}, then=Value(FIRST))
    ahead = When(**{f"{observed_at}__gt": now + MAX_SKEW}, then=Value(FIRST))
    overdue = When(**{f"{observed_at}__lte": now - DEADLINE}, then=Value(OVERDUE))
    lane = Case(unread, ahead, overdue, default=Value(BY_INDEX))
    urgent: Combinable = age * F(f"{price}urgency")
    rank = Case(When(**{f"{observed_at}__lte": now - DEADLINE}, then=age), default=urgent)
    return [OrderBy(lane), OrderBy(rank, descending=True, nulls_last=True)]
