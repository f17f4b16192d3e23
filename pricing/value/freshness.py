"""How fresh a price is and whether it counts: each rule for Python and its twin for the database. No queries."""

from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db.models import Case, CharField, F, Q, Value, When

from collections_app.discogs.payloads import MarketStatus
from collections_app.models import CollectionInstanceQuerySet, Decision
from pricing.models import Doubt

# A price older than this no longer counts: the market has changed since.
PRICE_COUNTS_FOR = timedelta(days=30)
# A price is ageing between the freshness window and this age, and stale after it.
AGEING_UNTIL = timedelta(hours=24)


class Freshness(StrEnum):
    """The state of a release's price, as shown everywhere."""

    FRESH = "fresh"
    AGEING = "ageing"
    STALE = "stale"
    CARRIED = "carried"  # none for sale or blocked; its last price still counts
    NONE_FOR_SALE = MarketStatus.NONE_FOR_SALE.value
    BLOCKED = MarketStatus.BLOCKED.value
    GONE = MarketStatus.GONE.value
    QUARANTINED = "quarantined"  # doubted, and its owner has not decided to count it
    LEFT_OUT = "left_out"  # by its owner, doubted or not
    EXPIRED = "expired"  # older than PRICE_COUNTS_FOR
    NEVER_FETCHED = "never_fetched"


# The states of a lowest listing that counts in a total, and all states whose price counts.
LISTED = (Freshness.FRESH, Freshness.AGEING, Freshness.STALE)
PRICED = (*LISTED, Freshness.CARRIED)

# The states in which the market no longer has a price.
LEFT_THE_MARKET = (Freshness.NONE_FOR_SALE, Freshness.BLOCKED, Freshness.GONE, Freshness.EXPIRED)

# The states whose price is known and recent, but does not count.
WITHHELD = (Freshness.QUARANTINED, Freshness.LEFT_OUT)

# The label of each state on every page.
STATE_LABELS = {
    Freshness.FRESH: "Fresh",
    Freshness.AGEING: "Ageing",
    Freshness.STALE: "Stale",
    Freshness.CARRIED: "Last seen",
    Freshness.NONE_FOR_SALE: "None for sale",
    Freshness.BLOCKED: "Blocked from sale",
    Freshness.GONE: "Gone from Discogs",
    Freshness.QUARANTINED: "Held back",
    Freshness.LEFT_OUT: "Left out by you",
    Freshness.EXPIRED: "No recent price",
    Freshness.NEVER_FETCHED: "Never fetched",
}


def fresh_for() -> timedelta:
    return timedelta(seconds=settings.PRICE_FRESH_FOR)


def _ages(fresh_for: timedelta) -> tuple[tuple[Freshness, timedelta], ...]:
    """The states of a price that counts, and the age up to which each lasts, youngest first."""
    return tuple(zip(LISTED, (fresh_for, AGEING_UNTIL, PRICE_COUNTS_FOR), strict=True))


def freshness(
    status: str | None,
    observed_at: datetime | None,
    *,
    now: datetime,
    fresh_for: timedelta,
    doubt: int = Doubt.NONE,
    decision: str = Decision.NONE,
    last_priced_at: datetime | None = None,
) -> Freshness:
    """The state of a reading at `now`; its price counts if the state is one of PRICED.

    decision: of the owner for whom the state is computed. last_priced_at: when a price that counted was last read.
    """
    if status is None or observed_at is None:
        return Freshness.NEVER_FETCHED
    if status != MarketStatus.PRICED:
        is_recent = last_priced_at is not None and now - last_priced_at <= PRICE_COUNTS_FOR
        is_carried = is_recent and status != MarketStatus.GONE and decision != Decision.NEVER
        return Freshness.CARRIED if is_carried else Freshness(status)
    age = now - observed_at
    if age > PRICE_COUNTS_FOR:
        return Freshness.EXPIRED
    if decision == Decision.NEVER:
        return Freshness.LEFT_OUT
    if doubt and decision != Decision.COUNT:
        return Freshness.QUARANTINED
    return next((state for state, limit in _ages(fresh_for) if age <= limit), Freshness.EXPIRED)


def state_at(now: datetime) -> Case:
    """The twin of `freshness`, for copies."""
    return Case(
        When(release__price__isnull=True, then=Value(Freshness.NEVER_FETCHED)),
        When(_is_carried(now) & ~Q(price_decision=Decision.NEVER), then=Value(Freshness.CARRIED)),
        When(~Q(release__price__status=MarketStatus.PRICED), then=F("release__price__status")),
        When(release__price__observed_at__lt=now - PRICE_COUNTS_FOR, then=Value(Freshness.EXPIRED)),
        When(price_decision=Decision.NEVER, then=Value(Freshness.LEFT_OUT)),
        When(~_is_believed(), then=Value(Freshness.QUARANTINED)),
        *(
            When(release__price__observed_at__gte=now - limit, then=Value(state))
            for state, limit in _ages(fresh_for())
        ),
        default=Value(Freshness.EXPIRED),
        output_field=CharField(),
    )


def counted(now: datetime) -> Q:
    """Select the copies whose price counts at `now`: the twin of `freshness(…) in PRICED`."""
    is_recent = Q(release__price__status=MarketStatus.PRICED) & Q(
        release__price__observed_at__gte=now - PRICE_COUNTS_FOR
    )
    return (is_recent & _is_believed() | _is_carried(now)) & ~Q(price_decision=Decision.NEVER)


def _is_carried(now: datetime, price: str = "release__price__") -> Q:
    """None for sale or blocked, and the last price is recent: the twin of that part of `freshness`."""
    return Q(
        **{
            f"{price}status__in": (MarketStatus.NONE_FOR_SALE, MarketStatus.BLOCKED),
            f"{price}last_priced_at__gte": now - PRICE_COUNTS_FOR,
        }
    )


def counted_prices(held: CollectionInstanceQuerySet, *, now: datetime) -> Q:
    """Select the prices of what one user holds that `counted` selects by its copies.

    The decisions come from two subqueries of a few rows: to join the prices to all copies takes four times as long.
    """
    count, never = (held.filter(price_decision=decision) for decision in (Decision.COUNT, Decision.NEVER))
    is_recent = Q(status=MarketStatus.PRICED, observed_at__gte=now - PRICE_COUNTS_FOR)
    is_believed = Q(doubt=Doubt.NONE) | Q(release__in=count.release_ids())
    is_counted = is_recent & is_believed | _is_carried(now, price="")
    return Q(release__in=held.release_ids()) & is_counted & ~Q(release__in=never.release_ids())


def _is_believed() -> Q:
    """Not doubted, or counted all the same by the owner of the copy."""
    return Q(release__price__doubt=Doubt.NONE) | Q(price_decision=Decision.COUNT)
