"""Discogs' own exchange rates, for the currencies that users see amounts in or sell in, and those of Discogs' ranges.

Discogs returns the lowest price of a release in any of its currencies, not rounded. Two requests for the same release,
in USD and in another currency, give the rate that Discogs uses. A failure leaves the last good rate as it is.
"""

import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, OuterRef
from django_q.tasks import async_task

from collections_app.discogs import errors
from collections_app.discogs.client import Credentials
from collections_app.discogs.market_payloads import MarketStats
from collections_app.discogs.payloads import MarketStatus
from collections_app.models import DiscogsConnection, Preferences
from collections_app.times import is_recent
from pricing.models import DiscogsRange, ExchangeRate, ReleasePrice, SourceAttempt
from pricing.money import convert
from pricing.money.convert import PRICE_CURRENCY
from pricing.sources.access import ClientFor, background_broker, credentials_of_owner, held, record_attempt
from pricing.sync.queue import OrderedBroker

logger = logging.getLogger(__name__)

RATE_TASK = "pricing.optional_tasks.refresh_rate"
SOURCE, Outcome = SourceAttempt.Source.EXCHANGE_RATE, SourceAttempt.Outcome
FRESH_FOR = timedelta(hours=24)
AGAIN_AFTER = timedelta(minutes=10)
# In US cents: the amount in yen of a more expensive release could be rejected as implausible.
MAX_AMOUNT = 1_000_000
CANDIDATES = 10
RANGES_COUNT_FOR = timedelta(days=7)


def feed(*, now: datetime) -> int:
    """Queue a request for each currency whose rate is due, at most once in ten minutes; returns how many."""
    return sum(
        request_rate(currency, now=now, broker=background_broker())
        for currency in sorted(chosen_currencies() | currencies_of_ranges(now=now))
    )


def chosen_currencies() -> set[str]:
    """The currencies that active users have chosen, without the one that prices are in."""
    chosen = Preferences.objects.filter(user__is_active=True).exclude(currency=PRICE_CURRENCY)
    return set(chosen.order_by().values_list("currency", flat=True).distinct())


def currencies_of_ranges(*, now: datetime) -> set[str]:
    """The currencies of Discogs' recent ranges, which are shown beside totals in the user's own currency."""
    recent = DiscogsRange.objects.filter(
        day__gt=now.astimezone(UTC).date() - RANGES_COUNT_FOR, connection__user__is_active=True
    )
    return set(
        recent.exclude(currency=PRICE_CURRENCY).order_by().values_list("currency", flat=True).distinct()
    )


def request_rate(currency: str, *, now: datetime, broker: OrderedBroker | None = None) -> bool:
    """Queue a request for a rate unless it is fresh, was requested recently, or no known release can provide it."""
    if currency == PRICE_CURRENCY or _fresh(currency, now) or not _most_expensive():
        return False
    recent = is_recent("tried_at", now=now, within=AGAIN_AFTER)
    tried = SourceAttempt.objects.filter(source=SOURCE, release=None, connection=None, currency=currency)
    if tried.filter(recent).exists():
        return False
    with transaction.atomic():
        record_attempt(SOURCE, Outcome.REQUESTED, now=now, currency=currency)
        async_task(RATE_TASK, currency, save=False, broker=broker or OrderedBroker())
    return True


def refresh_rate(currency: str, *, client_for: ClientFor, now: datetime) -> bool:
    """Fetch and store a rate unless there is a fresh one; two requests. Returns whether there is a fresh one now."""
    if _fresh(currency, now):
        return True
    found = _release_and_credentials(now)
    if found is None:
        return False
    release_id, credentials = found
    client = client_for(credentials)
    try:
        usd, other = (client.market_stats(release_id, code) for code in (PRICE_CURRENCY, currency))
    except errors.DiscogsError as error:
        logger.info("no rate for %s: %s", currency, error.kind)
        return False
    return _store(currency, _between(usd, other), now=now)


def _fresh(currency: str, now: datetime) -> bool:
    return ExchangeRate.objects.filter(
        is_recent("observed_at", now=now, within=FRESH_FOR), currency=currency
    ).exists()


def _between(usd: MarketStats, other: MarketStats) -> Decimal | None:
    """The rate between the two, or None if nothing is for sale or a listing came or went between the two answers."""
    if usd.value is None or other.value is None or usd.num_for_sale != other.num_for_sale:
        return None
    return convert.rate_between(usd.value, other.value)


def _store(currency: str, per_usd: Decimal | None, *, now: datetime) -> bool:
    row = ExchangeRate.objects.filter(currency=currency).first()
    before = row.as_rate() if row else None
    if per_usd is None or not convert.is_plausible(per_usd, before=before, now=now):
        logger.warning(
            "rate for %s rejected as implausible: %s after %s", currency, per_usd, before and before.per_usd
        )
        return False
    ExchangeRate.objects.update_or_create(
        currency=currency, defaults={"micros_per_usd": int(per_usd * convert.MICROS), "observed_at": now}
    )
    record_attempt(SOURCE, Outcome.STORED, now=now, currency=currency)
    return True


def _release_and_credentials(now: datetime) -> tuple[int, Credentials] | None:
    """An expensive release that is for sale, and an owner's credentials.

    Each attempt takes another release, since one may have been sold.
    """
    expensive = _most_expensive()
    if not expensive:
        return None
    release_id = expensive[int(now.timestamp() // AGAIN_AFTER.total_seconds()) % len(expensive)]
    credentials = credentials_of_owner(release_id)
    return None if credentials is None else (release_id, credentials)


def _most_expensive() -> list[int]:
    """A few expensive releases, for sale when last fetched, however long ago, and held by a connected user."""
    owned = held(release=OuterRef("release"), connection__state=DiscogsConnection.State.ACTIVE)
    priced = ReleasePrice.objects.filter(
        Exists(owned), status=MarketStatus.PRICED, amount_minor__lte=MAX_AMOUNT
    )
    return list(priced.order_by("-amount_minor", "pk").values_list("pk", flat=True)[:CANDIDATES])
