"""The holdings of a user and what they are worth now."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Q

from collections_app.models import CollectionInstance
from pricing.fx import PRICE_CURRENCY
from pricing.models import PriceStatus
from pricing.valuation import PRICE_COUNTS_FOR, Freshness, Holding, Value, value_of

# How a state is called on every page.
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


def holdings_of(user_id: int) -> list[Holding]:
    """The releases a user owns now with their newest prices: one query."""
    rows = (
        CollectionInstance.objects.of(user_id)
        .held()
        .values_list("release_id")
        .annotate(copies=Count("id"))
        .values_list(
            "release_id",
            "copies",
            "release__price__status",
            "release__price__amount_minor",
            "release__price__currency",
            "release__price__observed_at",
            "release__price__num_for_sale",
            "release__price__want",
        )
        .order_by()
    )
    return [
        Holding(release, copies, status, amount, currency or "", observed_at, for_sale, want)
        for release, copies, status, amount, currency, observed_at, for_sale, want in rows
    ]


def value_for(user_id: int, *, now: datetime) -> Value:
    """What a user's collection is worth now. Every page and command asks here."""
    return value_of(holdings_of(user_id), currency=PRICE_CURRENCY, now=now, fresh_for=fresh_for())


def counted(now: datetime, *, price: str = "release__price__") -> Q:
    """The rows whose price is part of a total at `now`: the rule of `value_of`, for sums made by the database.

    `price` leads to the ReleasePrice; empty when the rows are ReleasePrice themselves.
    """
    return Q(**{f"{price}status": PriceStatus.PRICED, f"{price}observed_at__gte": now - PRICE_COUNTS_FOR})
