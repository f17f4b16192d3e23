"""A user's gainers, losers and most expensive releases."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from heapq import nlargest, nsmallest

from collections_app.models import CollectionInstance, Release
from pricing.daily.baselines import amount_on
from pricing.models import PriceSnapshot, ReleasePrice
from pricing.pages.charts import Change
from pricing.value.freshness import counted_prices

# In minor units: below it a change of a few cents would be a change of hundreds of per cent.
MIN_AMOUNT = 100


@dataclass(frozen=True, slots=True)
class Mover:
    release: Release
    currency: str
    change: Change


@dataclass(frozen=True, slots=True)
class Ranked:
    """The releases that gained and lost most, in per cent or by amount, and those with the highest lowest listing."""

    gainers: list[Mover]
    losers: list[Mover]
    most_expensive: list[ReleasePrice]


def ranked_for(
    user_id: int, *, start: date, now: datetime, by_amount: bool = False, movers: int = 4, expensive: int = 5
) -> Ranked:
    """Rank the priced releases that a user holds; gains and losses are those since `start`. Two queries.

    Three numbers of each release are ranked here: the database would sort them three times.
    """
    held = CollectionInstance.objects.of(user_id).held()
    rows = (
        ReleasePrice.objects.filter(counted_prices(held, now=now))
        .order_by()
        .values_list("pk", "amount_minor", amount_on(start, today=now.date(), price=""))
    )
    known = [(amount, -release, then) for release, amount, then in rows if amount is not None]
    moved = [
        (amount - then if by_amount else amount / then, release, then)
        for amount, release, then in known
        if then and amount != then and (amount >= MIN_AMOUNT or then >= MIN_AMOUNT)
    ]
    up, down, top = nlargest(movers, moved), nsmallest(movers, moved), nlargest(expensive, known)
    ids = {-row[1] for row in (*up, *down, *top)}
    prices = ReleasePrice.objects.select_related("release").in_bulk(ids)
    return Ranked(
        _movers(up, prices, "up"),
        _movers(down, prices, "down"),
        [prices[-release] for _, release, _ in top if -release in prices],
    )


def _movers(
    rows: list[tuple[float, int, int]], prices: Mapping[int, ReleasePrice], direction: str
) -> list[Mover]:
    """Those that moved this way: among few, the largest gains can be losses."""
    movers = []
    for _, release, then in rows:
        price = prices.get(-release)  # it can have been deleted meanwhile
        if price and price.amount_minor is not None:
            movers.append(Mover(price.release, price.currency, Change(then, price.amount_minor)))
    return [mover for mover in movers if mover.change.direction == direction]


def has_demo_data(release_ids: Iterable[int], *, start: date) -> bool:
    """Whether the history of any of these releases was made up, at the start of the range or just after it.

    The demo fills every day of every release, so a few releases and days are enough to tell.
    """
    window = (start, start + timedelta(days=2))
    readings = PriceSnapshot.objects.filter(release__in=release_ids, day__range=window)
    return readings.filter(source=PriceSnapshot.Source.DEMO).exists()
