"""The current value of a user's holdings."""

from datetime import datetime

from django.db.models import Count, Max, Min, Sum

from collections_app.models import CollectionInstance, Decision, Release
from pricing.models import Doubt, ReleasePrice
from pricing.money.convert import PRICE_CURRENCY
from pricing.value.freshness import Freshness, fresh_for, freshness, state_at
from pricing.value.valuation import Tally, Totals, Value, total


def state_of(price: ReleasePrice | None, decision: str = Decision.NONE, *, now: datetime) -> Freshness:
    """The state of a release's price, which it may not have yet, for an owner with this decision about it."""
    status, observed_at = (price.status, price.observed_at) if price else (None, None)
    doubt = price.doubt if price else Doubt.NONE
    return freshness(status, observed_at, now=now, fresh_for=fresh_for(), doubt=doubt, decision=decision)


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
