"""The queue's tasks of the optional price sources. Renaming a function here breaks queued rows."""

from django.utils import timezone

from collections_app.currencies import CODES
from pricing.sources import discogs_range, exchange_rates, listing_search, market_stats, suggestions
from pricing.tasks import this_process


def refresh_suggestions(release_id: int) -> None:
    """Task: fetch and store the price suggestions of a release."""
    process = this_process()
    suggestions.refresh_suggestions(release_id, client_for=process.client_for, now=timezone.now())
    process.heartbeat.report(now=timezone.now())


def refresh_stat(release_id: int, currency: str | int) -> None:
    """Task: fetch and store the lowest price of a release in one of Discogs' currencies."""
    process = this_process()
    market_stats.refresh_market_stat(
        release_id, _code(currency), client_for=process.client_for, now=timezone.now()
    )
    process.heartbeat.report(now=timezone.now())


def refresh_rate(currency: str | int) -> None:
    """Task: fetch and store the rate of one of Discogs' currencies."""
    process = this_process()
    exchange_rates.refresh_rate(_code(currency), client_for=process.client_for, now=timezone.now())
    process.heartbeat.report(now=timezone.now())


def refresh_range(connection_id: int) -> None:
    """Task: fetch and store Discogs' own range of a collection."""
    process = this_process()
    discogs_range.refresh_range(connection_id, client_for=process.client_for, now=timezone.now())
    process.heartbeat.report(now=timezone.now())


def probe_listing_search() -> None:
    """Task: find out whether listings can be searched."""
    process = this_process()
    listing_search.probe_listing_search(client_for=process.client_for, now=timezone.now())
    process.heartbeat.report(now=timezone.now())


def _code(currency: str | int) -> str:
    """The code of a currency. Rows queued by the previous version carry its position in the table."""
    return CODES[currency] if isinstance(currency, int) else currency
