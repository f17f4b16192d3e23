"""Statistics in a chosen currency, and the search of listings, against the sandbox."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from collections_app.discogs.gate import configured_gate
from collections_app.models import ApiGate, Capability
from pricing import optional_tasks
from pricing.models import MarketStat
from pricing.sources import suggestions
from pricing.tasks import this_process
from tests.factories import make_release
from tests.pricing.sources.test_suggestions import connection_of, feed, queued, shelf

pytestmark = pytest.mark.django_db(transaction=True)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def collector(make_collector, generous_sandbox):
    return shelf(make_collector, generous_sandbox, "collector")


# Statistics in a chosen currency --------------------------------------------------------------------


def stat(currency: str = "EUR", *, release: int = 11, later: timedelta = timedelta(0)) -> bool:
    now = timezone.now() + later
    return suggestions.refresh_market_stat(release, currency, client_for=this_process().client_for, now=now)


def test_price_in_chosen_currency_lasts_a_day(collector, generous_sandbox):
    assert stat()
    assert stat()
    row = MarketStat.objects.get()
    assert (row.currency, row.amount_minor, row.num_for_sale) == ("EUR", 731, 2)
    assert generous_sandbox.stats()["accepted"] == 1
    generous_sandbox.set_market(11, lowest_price="16.00")
    assert stat(later=25 * HOUR)
    assert MarketStat.objects.get().amount_minor == 1462


@pytest.mark.parametrize("change", [{"lowest_price": None}, {"blocked": True}], ids=str)
@pytest.mark.parametrize(("release", "listings"), [(11, 0), (12, None)])  # Discogs says either
def test_missing_price_in_currency_has_no_amount(collector, generous_sandbox, change, release, listings):
    generous_sandbox.set_market(release)
    generous_sandbox.set_market(release, **change)
    stat(release=release)
    row = MarketStat.objects.get()
    assert (row.amount_minor, row.num_for_sale) == (None, listings)


@pytest.mark.parametrize("kind", ["html", "reset"])
def test_failed_request_keeps_old_statistics(collector, generous_sandbox, kind):
    stat()
    before = MarketStat.objects.values().get()
    generous_sandbox.add_fault(path="/marketplace/stats/11", kind=kind, times=1)
    assert stat(later=2 * DAY) is False
    assert MarketStat.objects.values().get() == before


def test_release_without_owner_is_not_requested(collector, generous_sandbox):
    make_release(discogs_id=999)
    assert stat(release=999) is False
    assert generous_sandbox.stats()["accepted"] == 0


def test_statistics_can_be_queued(collector):
    suggestions.enqueue_market_stat(11, "JPY")
    [(name, args)] = queued()
    assert all(isinstance(value, int | str) for value in args)
    getattr(optional_tasks, name)(*args)
    assert MarketStat.objects.get().currency == "JPY"


# Listing search -------------------------------------------------------------------------------------


def probe(*, later: timedelta = timedelta(0)) -> bool:
    now = timezone.now() + later
    return suggestions.probe_listing_search(client_for=this_process().client_for, now=now)


def test_listing_search_is_off_by_default(collector, generous_sandbox):
    optional_tasks.probe_listing_search()
    feed()
    assert "probe_listing_search" not in dict(queued())
    assert generous_sandbox.stats()["accepted"] == 0
    assert not Capability.objects.exists()


def test_blocked_listing_search_asks_once_a_day(collector, generous_sandbox, settings):
    settings.DISCOGS_LISTING_SEARCH = True
    for hours in (0, 1, 23):
        assert probe(later=hours * HOUR) is False
    assert generous_sandbox.stats()["accepted"] == 1
    assert probe(later=25 * HOUR) is False
    assert generous_sandbox.stats()["accepted"] == 2


def test_probe_is_queued_once_a_day_when_on(collector, settings):
    settings.DISCOGS_LISTING_SEARCH = True
    feed()
    assert queued()[0] == ("probe_listing_search", ())
    OrmQ.objects.all().delete()
    optional_tasks.probe_listing_search()
    feed()
    assert "probe_listing_search" not in dict(queued())


def test_listing_search_401_keeps_credentials(collector, generous_sandbox, settings):
    settings.DISCOGS_LISTING_SEARCH = True
    generous_sandbox.add_fault(
        path="/marketplace/search", kind="status", status=401, times=1, body='{"message": "no"}'
    )
    assert probe() is False
    assert connection_of(collector).is_active
    assert Capability.objects.get().is_available is False


def test_closed_gate_says_nothing_about_listings(collector, settings):
    settings.DISCOGS_LISTING_SEARCH = True
    configured_gate().record_refusal(retry_after=600)
    assert probe() is False
    assert not Capability.objects.exists()
    ApiGate.objects.update(paused_until=0)
