"""Discogs' own exchange rates, for the currencies that users have chosen to see amounts in.

Discogs tells the lowest price of a release in any of its currencies, not rounded. Asked twice for the same release, in
USD and in another currency, it tells the rate it reckons with. What goes wrong leaves the last good rate as it is.
"""

import logging
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, OuterRef
from django_q.tasks import async_task

from collections_app.discogs import errors
from collections_app.discogs.client import Credentials
from collections_app.discogs.market_payloads import MarketStats
from collections_app.discogs.payloads import MarketStatus
from collections_app.models import Capability, DiscogsConnection, Preferences
from collections_app.times import is_recent
from pricing.models import ExchangeRate, ReleasePrice
from pricing.money import convert
from pricing.money.convert import PRICE_CURRENCY
from pricing.sources.suggestions import ClientFor, at_the_back, held, record_attempt, usable
from pricing.sync.queue import OrderedBroker

logger = logging.getLogger(__name__)

RATE_TASK = "pricing.optional_tasks.refresh_rate"
FRESH_FOR = timedelta(hours=24)
AGAIN_AFTER = timedelta(minutes=10)
# The name of a capability, followed by a currency: when the rate was last asked for, and whether that went well.
ASKED = "rate of "
# In US cents: dearer ones would be beyond belief in yen.
DEAREST = 1_000_000
CANDIDATES = 10


def feed(*, now: datetime) -> int:
    """Queue a request for each currency whose rate is due; returns how many. Not more than once in ten minutes."""
    return sum(request_rate(currency, now=now, broker=at_the_back()) for currency in chosen_currencies())


def chosen_currencies() -> list[str]:
    """Other currencies than the one prices come in that somebody has chosen."""
    chosen = Preferences.objects.filter(user__is_active=True).exclude(currency=PRICE_CURRENCY)
    return list(chosen.order_by("currency").values_list("currency", flat=True).distinct())


def request_rate(currency: str, *, now: datetime, broker: OrderedBroker | None = None) -> bool:
    """Queue a request for a rate unless it is fresh, was asked for lately, or no known release could tell it."""
    if currency == PRICE_CURRENCY or _fresh(currency, now) or not _most_expensive():
        return False
    lately = is_recent("checked_at", now=now, within=AGAIN_AFTER)
    if Capability.objects.filter(lately, name=f"{ASKED}{currency}").exists():
        return False
    with transaction.atomic():
        record_attempt(f"{ASKED}{currency}", False, now=now)
        async_task(RATE_TASK, currency, save=False, broker=broker or OrderedBroker())
    return True


def refresh_rate(currency: str, *, client_for: ClientFor, now: datetime) -> bool:
    """Fetch and store a rate, unless there is a fresh one; two requests. Returns whether there is a fresh one now."""
    if _fresh(currency, now):
        return True
    asking = _release_and_credentials(now)
    if asking is None:
        return False
    release_id, credentials = asking
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
    """None when nothing is for sale, or when a listing came or went between the two answers."""
    if usd.value is None or other.value is None or usd.num_for_sale != other.num_for_sale:
        return None
    return convert.rate_between(usd.value, other.value)


def _store(currency: str, per_usd: Decimal | None, *, now: datetime) -> bool:
    row = ExchangeRate.objects.filter(currency=currency).first()
    before = row.as_rate() if row else None
    if per_usd is None or not convert.is_plausible(per_usd, before=before, now=now):
        logger.warning("rate for %s not believed: %s after %s", currency, per_usd, before and before.per_usd)
        return False
    ExchangeRate.objects.update_or_create(
        currency=currency, defaults={"micros_per_usd": int(per_usd * convert.MICROS), "observed_at": now}
    )
    record_attempt(f"{ASKED}{currency}", True, now=now)
    return True


def _release_and_credentials(now: datetime) -> tuple[int, Credentials] | None:
    """A dear release that is for sale, and the credentials of one who owns it.

    Another release with each try, should one have been sold.
    """
    dearest = _most_expensive()
    if not dearest:
        return None
    release_id = dearest[int(now.timestamp() // AGAIN_AFTER.total_seconds()) % len(dearest)]
    owners = DiscogsConnection.objects.filter(
        Exists(held(release=release_id, connection=OuterRef("pk"))), state=DiscogsConnection.State.ACTIVE
    )
    credentials = next((found for _, found in usable(owners.order_by("pk"))), None)
    return None if credentials is None else (release_id, credentials)


def _most_expensive() -> list[int]:
    """A few dear releases that were for sale when last seen, however long ago, and belong to someone connected."""
    owned = held(release=OuterRef("release"), connection__state=DiscogsConnection.State.ACTIVE)
    priced = ReleasePrice.objects.filter(Exists(owned), status=MarketStatus.PRICED, amount_minor__lte=DEAREST)
    return list(priced.order_by("-amount_minor", "pk").values_list("pk", flat=True)[:CANDIDATES])
