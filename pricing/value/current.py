"""The current value of a user's holdings."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Case, CharField, Count, F, Max, Min, Q, Sum, When
from django.db.models import Value as Constant

from collections_app.discogs.payloads import MarketStatus
from collections_app.models import CollectionInstance, Release
from pricing.money.convert import PRICE_CURRENCY
from pricing.value.valuation import (
    AGEING_UNTIL,
    PRICE_COUNTS_FOR,
    Freshness,
    Tally,
    Totals,
    Value,
    total,
)

# The label of each state on every page.
STATE_LABELS = {
    Freshness.FRESH: "Fresh",
    Freshness.AGEING: "Ageing",
    Freshness.STALE: "Stale",
    Freshness.NONE_FOR_SALE: "None for sale",
    Freshness.BLOCKED: "Blocked from sale",
    Freshness.GONE: "Gone from Discogs",
    Freshness.EXPIRED: "No recent price",
    Freshness.NEVER_FETCHED: "Never fetched",
}


def fresh_for() -> timedelta:
    return timedelta(seconds=settings.PRICE_FRESH_FOR)


def value_for(user_id: int, *, now: datetime) -> Value:
    """The current value of a user's collection, for every page and command. Two queries.

    The database sums each state, so that a large collection costs a few rows and not one for each release.
    """
    return total(_tallies_of(user_id, now=now), _totals_of(user_id), currency=PRICE_CURRENCY)


def _tallies_of(user_id: int, *, now: datetime) -> list[Tally]:
    rows = (
        CollectionInstance.objects.of(user_id)
        .held()
        .values_list(state_at(now), "release__price__currency")
        .annotate(
            Count("id"),
            Sum("release__price__amount_minor"),
            Max("release__price__observed_at"),
            Min("release__price__observed_at"),
        )
        .order_by()
    )
    return [
        Tally(Freshness(state), currency or "", copies, amount or 0, newest, oldest)
        for state, currency, copies, amount, newest, oldest in rows
    ]


def _totals_of(user_id: int) -> Totals:
    held = CollectionInstance.objects.of(user_id).held().order_by().values("release_id")
    sums = Release.objects.filter(pk__in=held).aggregate(
        releases=Count("pk"), num_for_sale=Sum("price__num_for_sale"), want=Sum("price__want")
    )
    return Totals(sums["releases"], sums["num_for_sale"] or 0, sums["want"] or 0)


def state_at(now: datetime) -> Case:
    """The SQL twin of `valuation.freshness`, for rows with a `release`."""
    ages = (
        (Freshness.FRESH, fresh_for()),
        (Freshness.AGEING, AGEING_UNTIL),
        (Freshness.STALE, PRICE_COUNTS_FOR),
    )
    return Case(
        When(release__price__isnull=True, then=Constant(Freshness.NEVER_FETCHED)),
        When(~Q(release__price__status=MarketStatus.PRICED), then=F("release__price__status")),
        *(When(release__price__observed_at__gte=now - age, then=Constant(state)) for state, age in ages),
        default=Constant(Freshness.EXPIRED),
        output_field=CharField(),
    )


def counted(now: datetime, *, price: str = "release__price__") -> Q:
    """Select the rows whose price counts in a total at `now`: the SQL twin of the rule in `value_of`.

    `price` is the lookup path to the ReleasePrice; empty if the rows are ReleasePrice rows.
    """
    return Q(**{f"{price}status": MarketStatus.PRICED, f"{price}observed_at__gte": now - PRICE_COUNTS_FOR})
