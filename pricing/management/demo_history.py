"""Made-up history for the demo, from the sandbox's own market, marked as demo data."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

from collections_app.currencies import minor_units
from collections_app.discogs.payloads import MarketStatus
from collections_app.models import CollectionInstance
from collections_app.sandbox.world.market import MarketDay
from collections_app.sandbox.world.world import World
from pricing.daily import market
from pricing.daily.baselines import renew
from pricing.daily.stored import rebuild_values
from pricing.models import PriceSnapshot

DAILY_FOR = 120  # days before today with a snapshot each; older ones have every third day
MARKET_FOR = timedelta(days=30)  # each day costs a search for all releases
BATCH = 2_000  # rows in one transaction, so that workers get their turn on SQLite


def seed_history(
    user_id: int, *, world: World, years: int, now: datetime, report: Callable[[float], None] = lambda _: None
) -> int:
    """Add `years` of dated snapshots for a user's releases, up to yesterday; return how many.

    Days that have a snapshot keep it, so this can run again. `report` is called with the share that is done, 0 to 1.
    """
    releases = list(
        CollectionInstance.objects.of(user_id)
        .values_list("release_id", flat=True)
        .distinct()
        .order_by("release_id")
    )
    today = now.astimezone(UTC).date()
    first = today - timedelta(days=365 * years)
    days = list(_days(first, today))
    rows = (_snapshot(world.market(release, day)) for release in releases for day in days)
    count = 0
    while batch := list(islice(rows, BATCH)):
        PriceSnapshot.objects.bulk_create(batch, ignore_conflicts=True)
        count += len(batch)
        report(count / (len(releases) * len(days)))
    renew(releases, today=today)
    market.renew_days(max(first, today - MARKET_FOR), now=now)
    rebuild_values(user_id, first=first, last=today, now=now)
    return count


def _days(first: date, today: date) -> Iterator[date]:
    for age in range((today - first).days, 0, -1):
        if age <= DAILY_FOR or age % 3 == 0:
            yield today - timedelta(days=age)


def _snapshot(market: MarketDay) -> PriceSnapshot:
    status = _status(market)
    priced = status == MarketStatus.PRICED and market.lowest_price is not None
    gone = status == MarketStatus.GONE
    return PriceSnapshot(
        release_id=market.release_id,
        day=market.day,
        observed_at=datetime.combine(market.day, time(12), UTC),
        status=status,
        currency="USD" if priced else "",
        amount_minor=minor_units(market.lowest_price, "USD") if priced and market.lowest_price else None,
        num_for_sale=None if gone else market.num_for_sale,
        want=None if gone else market.want,
        have=None if gone else market.have,
        source=PriceSnapshot.Source.DEMO,
    )


def _status(market: MarketDay) -> MarketStatus:
    if market.gone:
        return MarketStatus.GONE
    if market.blocked:
        return MarketStatus.BLOCKED
    return MarketStatus.NONE_FOR_SALE if market.lowest_price is None else MarketStatus.PRICED
