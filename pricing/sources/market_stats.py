"""The lowest price of a release in a chosen currency, from Discogs' marketplace statistics."""

import logging
from datetime import datetime, timedelta

from django_q.tasks import async_task

from collections_app.discogs import errors
from collections_app.times import is_recent
from pricing.models import MarketStat
from pricing.sources.access import ClientFor, background_broker, credentials_of_owner

logger = logging.getLogger(__name__)

STAT_TASK = "pricing.optional_tasks.refresh_stat"
FRESH_FOR = timedelta(hours=24)


def enqueue_market_stat(release_id: int, currency: str) -> None:
    """Queue a request for the lowest price in this currency."""
    async_task(STAT_TASK, release_id, currency, save=False, broker=background_broker())


def refresh_market_stat(release_id: int, currency: str, *, client_for: ClientFor, now: datetime) -> bool:
    """Fetch and store the lowest price of a release in one currency, unless there is a reading of the last day.

    Returns whether there is a fresh one now.
    """
    recent = is_recent("observed_at", now=now, within=FRESH_FOR)
    if MarketStat.objects.filter(recent, release=release_id, currency=currency).exists():
        return True
    credentials = credentials_of_owner(release_id)
    if credentials is None:
        return False
    try:
        found = client_for(credentials).market_stats(release_id, currency)
    except errors.DiscogsError as error:
        logger.info("no statistics for release %s: %s", release_id, error.kind)
        return False
    figures = {"amount_minor": found.amount_minor, "num_for_sale": found.num_for_sale, "observed_at": now}
    MarketStat.objects.update_or_create(release_id=release_id, currency=currency, defaults=figures)
    return True
