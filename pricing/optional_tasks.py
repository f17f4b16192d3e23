"""What the queue runs of the optional price sources. Renaming a function here breaks rows that are queued."""

from django.utils import timezone

from collections_app.discogs.payloads import CURRENCIES
from pricing import optional, rates
from pricing.tasks import this_process


def refresh_suggestions(release_id: int) -> None:
    """Queue entry: fetch and store the price suggestions of a release."""
    process = this_process()
    optional.refresh_suggestions(release_id, client_for=process.client_for, now=timezone.now())
    process.heart.beat(now=timezone.now())


def refresh_stat(release_id: int, currency_number: int) -> None:
    """Queue entry: fetch and store the lowest price of a release in one of Discogs' currencies."""
    process, currency = this_process(), CURRENCIES[currency_number]
    optional.refresh_market_stat(release_id, currency, client_for=process.client_for, now=timezone.now())
    process.heart.beat(now=timezone.now())


def refresh_rate(currency_number: int) -> None:
    """Queue entry: fetch and store the rate of one of Discogs' currencies."""
    process, currency = this_process(), CURRENCIES[currency_number]
    rates.refresh_rate(currency, client_for=process.client_for, now=timezone.now())
    process.heart.beat(now=timezone.now())


def probe_listing_search() -> None:
    """Queue entry: find out whether listings can be searched."""
    process = this_process()
    optional.probe_listing_search(client_for=process.client_for, now=timezone.now())
    process.heart.beat(now=timezone.now())
