"""What was paid for the copies held on each day, and how many were added: from the dates of copies."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from typing import NamedTuple

from django.db.models import Count, DateField, Func, Q, Sum

from collections_app.models import CollectionInstance
from pricing.daily.parts import end_of
from pricing.money.ecb import usd_minor_on


class Lot(NamedTuple):
    """The copies that were added on one UTC day, removed on another or never, and paid for in one currency."""

    added: date
    removed: date | None
    currency: str
    copies: int
    paid: int = 0  # copies with a price
    paid_minor: int = 0


@dataclass(frozen=True, slots=True)
class Purchases:
    """Of each day, at its end: `invested` in cents of USD, None while no copy with a price is held.

    `added`: copies added since the day before, in the list; none on the first. `paid` and `unknown`: copies held on the
    last day that are part of `invested`, and those whose price has no currency or none with a rate.
    """

    invested: list[int | None]
    added: list[int]
    paid: int
    unknown: int


def _day_of(name: str) -> Func:
    return Func(name, function="DATE", output_field=DateField())


def lots_of(user_id: int, *, since: date) -> list[Lot]:
    """A user's copies held at the end of a day or later: those with a price, and those added after it. One query.

    Both databases take a UTC day from DATE; on SQLite, Django's TruncDate would call Python for every copy.
    """
    in_time = Q(removed_at__isnull=True) | Q(removed_at__gt=end_of(since))
    of_use = Q(paid_minor__isnull=False) | Q(added_at__gt=end_of(since))
    rows = (
        CollectionInstance.objects.of(user_id)
        .filter(in_time & of_use)
        .annotate(added=_day_of("added_at"), removed=_day_of("removed_at"))
        .order_by()
        .values_list("added", "removed", "paid_currency")
        .annotate(Count("pk"), Count("paid_minor"), Sum("paid_minor", default=0))
    )
    return [Lot(*row) for row in rows]


def purchases_on(days: Sequence[date], lots: Sequence[Lot]) -> Purchases:
    """The purchases at the ends of these days, which are in order."""
    sums, priced, added, unknown = (_Changes(len(days)) for _ in range(4))
    for lot in lots:
        held = bisect_left(days, lot.added), bisect_left(days, lot.removed or date.max)
        usd = usd_minor_on(lot.added, lot.paid_minor, lot.currency) if lot.paid else None
        if usd is not None:
            sums.add(*held, usd)
        (unknown if usd is None else priced).add(*held, lot.paid)
        if held[0]:
            added.add(held[0], held[0] + 1, lot.copies)
    copies = priced.levels()
    return Purchases(
        [minor if held else None for minor, held in zip(sums.levels(), copies, strict=True)],
        added.levels(),
        paid=copies[-1],
        unknown=unknown.levels()[-1],
    )


class _Changes:
    """A figure of each day, as its changes from day to day."""

    def __init__(self, days: int) -> None:
        self._by = [0] * (days + 1)

    def add(self, start: int, end: int, amount: int) -> None:
        """On the days from `start` until before `end`, which may both be past the last day."""
        last = len(self._by) - 1
        self._by[min(start, last)] += amount
        self._by[min(end, last)] -= amount

    def levels(self) -> list[int]:
        return list(accumulate(self._by))[:-1]
