"""The like-for-like change of any copies since the start of a range, chained at the days of the stored baselines.

The daily index of a whole collection comes from its stored values. For a filtered list there are none, so this one has
a link for each range that pages offer: the copies held on both of its days and priced by the market on both.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from django.db.models import BigIntegerField, Case, Count, F, Q, QuerySet, Sum, When
from django.db.models.expressions import Combinable

from collections_app.discogs.payloads import MarketStatus
from collections_app.models import CollectionInstance, Decision
from pricing.daily.baselines import IntegerCase, amount_on, days_of
from pricing.daily.index import Basket, chained
from pricing.models import Doubt
from pricing.value.freshness import PRICE_COUNTS_FOR

Copies = QuerySet[CollectionInstance]
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Level:
    """An index now, 100 at the start of the range. `copies`: of its smallest link, so it rests on at least these."""

    level: float
    copies: int

    @property
    def percent(self) -> float:
        return self.level - 100


def filter_index(copies: Copies, start: date, *, now: datetime) -> Level | None:
    """How the prices of these copies have changed since the end of `start`, without those bought or sold on the way.

    copies: filtered in any way, with the removed ones if these should count while they were held.
    None if `start` is not a day of the baselines, or if some link has no copy. One query of sums, and no search of the
    history except for releases whose baselines are behind.
    """
    today = now.astimezone(UTC).date()
    days = link_days(start, today=today)
    if not days:
        return None
    links = range(len(days) - 1)
    sums = _amounts(copies, days, now=now).aggregate(**_sums(links))
    baskets = [Basket(sums[f"before_{n}"] or 0, sums[f"after_{n}"] or 0) for n in links]
    if not all(basket.before_minor for basket in baskets):
        return None
    *_, level = chained(baskets)
    return Level(level, min(sums[f"copies_{n}"] for n in links))


def link_days(start: date, *, today: date) -> list[date]:
    """The days at which the index is chained, from `start` to today; none if no range starts on that day."""
    starts = {day for day in days_of(today).values() if start <= day < today}
    return [*sorted(starts), today] if start in starts else []


def _amounts(copies: Copies, days: Sequence[date], *, now: datetime) -> Copies:
    """The copies with what the market says of each on each day, as `amount_0` and so on."""
    *past, today = days
    columns: dict[str, Combinable] = {
        f"amount_{n}": amount_on(day, today=today) for n, day in enumerate(past)
    }
    columns[f"amount_{len(past)}"] = _amount_now(today)
    counted = copies.exclude(price_decision=Decision.NEVER)
    held = {f"held_{n}": _held(a, b, now=now) for n, (a, b) in enumerate(pairwise(days))}
    return counted.order_by().annotate(**columns, **held)


def _amount_now(today: date) -> IntegerCase:
    """The newest reading by the rule of `baselines.search` for today."""
    oldest = datetime.combine(today - PRICE_COUNTS_FOR + DAY, time.min, UTC)
    counts = Q(
        release__price__status=MarketStatus.PRICED,
        release__price__doubt=Doubt.NONE,
        release__price__observed_at__gte=oldest,
    )
    return IntegerCase(When(counts, then=F("release__price__amount_minor")), output_field=BigIntegerField())


def _held(first: date, last: date, *, now: datetime) -> Case:
    """1 if the copy was held at the end of both days, 0 otherwise."""
    since, until = (min(datetime.combine(day, time.max, UTC), now) for day in (first, last))
    is_held = Q(added_at__lte=since) & (Q(removed_at__isnull=True) | Q(removed_at__gt=until))
    return IntegerCase(When(is_held, then=1), default=0, output_field=BigIntegerField())


def _sums(links: Iterable[int]) -> dict[str, Combinable]:
    """For each link the sums on both of its days, and how many copies are in them."""
    sums: dict[str, Combinable] = {}
    for n in links:
        before, after = f"amount_{n}", f"amount_{n + 1}"
        is_in = Q(**{f"held_{n}": 1, f"{before}__isnull": False, f"{after}__isnull": False})
        sums[f"before_{n}"] = Sum(Case(When(is_in, then=F(before))))
        sums[f"after_{n}"] = Sum(Case(When(is_in, then=F(after))))
        sums[f"copies_{n}"] = Count(Case(When(is_in, then=1)))
    return sums
