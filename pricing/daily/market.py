"""The market of each day: what all releases of the site cost at its end and at that of the day before, like for like.

A day is summed when it is over, in short steps by release id. The place and the sums so far are kept together in the
cache: what is lost or done twice is summed again, and a day is stored only once it is complete.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.core.cache import cache

from pricing.daily.baselines import search
from pricing.daily.index import START, Basket, chained
from pricing.models import MarketDay, ReleasePrice

BATCH = 2_000  # releases in one step: two steps into the index of snapshots for each
FILLED_FOR = 30  # days: those missed during a longer downtime stay unknown
# A reading of the day's last moment may be stored by then, on any host.
SETTLED_AFTER = timedelta(minutes=10)
PLACE_SECONDS = 86_400
UNSTORED = timedelta(days=2)  # today, and yesterday until it has been summed
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Place:
    """How far the sum of a day has come: the last release id, and the sums of all releases up to it."""

    release_id: int = -1
    before_minor: int = 0
    after_minor: int = 0
    releases: int = 0


def is_settled(now: datetime) -> bool:
    """Whether yesterday can be summed, so that no other day becomes due on this UTC day."""
    return last_day(now) == now.astimezone(UTC).date() - DAY


def last_day(now: datetime) -> date:
    """The newest day that is over."""
    return (now.astimezone(UTC) - SETTLED_AFTER).date() - DAY


def missing_days(*, now: datetime) -> list[date]:
    """The days to be summed, oldest first; none on a site without a price. Two queries."""
    if not ReleasePrice.objects.exists():
        return []
    last = last_day(now)
    days = [last - timedelta(days=ago) for ago in reversed(range(FILLED_FOR))]
    stored = set(MarketDay.objects.filter(day__in=days).values_list("day", flat=True))
    return [day for day in days if day not in stored]


def step_next(*, now: datetime) -> bool:
    """Take one step of the oldest day that is missing; returns whether anything was left to do."""
    missing = missing_days(now=now)
    if missing:
        step(missing[0])
    return bool(missing)


def store_market_day(day: date) -> None:
    """Sum a past day and store it, from the place where an earlier attempt stopped."""
    while step(day):
        pass


def step(day: date) -> bool:
    """Add the next BATCH of releases to the sums of a day, or store it; returns whether more is left. One query."""
    place: Place = cache.get(_key(day)) or Place()
    rows = ReleasePrice.objects.filter(pk__gt=place.release_id).order_by("pk")
    amounts = list(rows.values_list("pk", search(day - DAY), search(day))[:BATCH])
    if not amounts:
        _store(day, place)
        return False
    both = [(before, after) for _, before, after in amounts if before is not None and after is not None]
    place = Place(
        amounts[-1][0],
        place.before_minor + sum(before for before, _ in both),
        place.after_minor + sum(after for _, after in both),
        place.releases + len(both),
    )
    cache.set(_key(day), place, PLACE_SECONDS)
    return True


def _key(day: date) -> str:
    return f"market:{day}"


def _store(day: date, place: Place) -> None:
    sums = {
        "before_minor": place.before_minor,
        "after_minor": place.after_minor,
        "releases": place.releases,
    }
    MarketDay.objects.update_or_create(day=day, defaults=sums)
    cache.delete(_key(day))


def renew_days(first: date, *, now: datetime) -> None:
    """Sum every day from `first` on again, at once: for history that was made up, on a small site."""
    last = last_day(now)
    for ago in reversed(range((last - first).days + 1)):
        day = last - timedelta(days=ago)
        cache.delete(_key(day))
        store_market_day(day)


# What pages read ------------------------------------------------------------------------------------


def market_index(first: date, last: date) -> list[tuple[date, float]]:
    """The index at the end of each day, 100 at the first one: the unbroken days up to the newest stored one.

    It begins at the end of `first`, or later where the market is not known since then; empty if no day is known.
    One query.
    """
    links = list(_unbroken(first, last))
    if not links:
        return []
    days = [day for day, _ in links]
    levels = chained(basket for _, basket in links)
    return [(days[0] - DAY, START), *zip(days, levels, strict=True)]


def market_change(first: date, last: date) -> float | None:
    """The change in per cent from the end of `first` to the end of `last`; None if a day between is not known.

    Today counts as unchanged, and so does yesterday until it is stored. One query.
    """
    series = market_index(first, last)
    if not series or series[0][0] != first or series[-1][0] < last - UNSTORED:
        return None
    return series[-1][1] - START


def _unbroken(first: date, last: date) -> Iterator[tuple[date, Basket]]:
    """The days after `first` since the last gap, oldest first. A day on which no release had two prices is a gap."""
    rows = MarketDay.objects.filter(day__gt=first, day__lte=last, before_minor__gt=0).order_by("day")
    known = {row.day: Basket(row.before_minor, row.after_minor) for row in rows}
    if not known:
        return iter(())
    start = max(known)
    while start - DAY in known:
        start -= DAY
    return ((day, basket) for day, basket in known.items() if day >= start)
