"""A user's gainers, losers and most expensive releases."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from heapq import nlargest, nsmallest

from django.db.models import Case, OuterRef, QuerySet, Subquery, When

from collections_app.models import CollectionInstance, Release
from pricing.models import Doubt, PriceSnapshot, ReleasePrice
from pricing.pages.charts import Change
from pricing.value.freshness import PRICE_COUNTS_FOR, counted_prices

# In minor units: below it a change of a few cents would be a change of hundreds of per cent.
MIN_AMOUNT = 100


@dataclass(frozen=True, slots=True)
class Mover:
    release: Release
    currency: str
    change: Change


def amount_at(day: date) -> Subquery:
    """What the release of a row cost on a day: its newest reading up to then, unless that is older than a price counts.

    Nothing if that reading was doubted, whatever its owner decided: no change begins with it.
    One step into the index of (release, day) for each release.
    """
    readings = PriceSnapshot.objects.filter(
        release=OuterRef("release"), day__lte=day, day__gt=day - PRICE_COUNTS_FOR
    )
    believed = Case(When(doubt=Doubt.NONE, then="amount_minor"))
    return Subquery(readings.order_by("-day").values_list(believed)[:1])


def movers_for(
    user_id: int, *, start: date, now: datetime, limit: int = 4
) -> tuple[list[Mover], list[Mover]]:
    """The releases that gained and lost most since `start`, in per cent. Two queries."""
    rows = (
        _counted_prices(user_id, now=now)
        .annotate(then=amount_at(start))
        .values_list("release_id", "currency", "amount_minor", "then")
    )
    moved = [
        (amount / then, release, currency, Change(then, amount))
        for release, currency, amount, then in rows
        if then and amount is not None and amount != then and max(then, amount) >= MIN_AMOUNT
    ]
    up = nlargest(limit, (row for row in moved if row[3].direction == "up"), key=lambda row: row[0])
    down = nsmallest(limit, (row for row in moved if row[3].direction == "down"), key=lambda row: row[0])
    releases = Release.objects.in_bulk([row[1] for row in up + down])
    gainers, losers = (
        [Mover(releases[release], currency, change) for _, release, currency, change in side]
        for side in (up, down)
    )
    return gainers, losers


def most_expensive_for(user_id: int, *, now: datetime, limit: int = 5) -> list[ReleasePrice]:
    """The releases with the highest lowest listing. One query."""
    prices = _counted_prices(user_id, now=now).select_related("release")
    return list(prices.order_by("-amount_minor", "release_id")[:limit])


def _counted_prices(user_id: int, *, now: datetime) -> "QuerySet[ReleasePrice]":
    """The prices of what a user holds, of those that count for this user."""
    held = CollectionInstance.objects.of(user_id).held()
    return ReleasePrice.objects.filter(counted_prices(held, now=now))


def has_demo_data(release_ids: Iterable[int], *, start: date) -> bool:
    """Whether the history of any of these releases was made up, at the start of the range or just after it.

    The demo fills every day of every release, so a few releases and days are enough to tell.
    """
    window = (start, start + timedelta(days=2))
    readings = PriceSnapshot.objects.filter(release__in=release_ids, day__range=window)
    return readings.filter(source=PriceSnapshot.Source.DEMO).exists()
