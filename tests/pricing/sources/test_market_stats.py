"""Statistics in a chosen currency against the sandbox."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pricing import optional_tasks
from pricing.models import MarketStat
from pricing.sources import market_stats
from pricing.tasks import this_process
from tests.factories import make_release
from tests.pricing.sources.owners import make_owner, queued

pytestmark = pytest.mark.django_db(transaction=True)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def collector(make_collector, generous_sandbox):
    return make_owner(make_collector, generous_sandbox, "collector")


def stat(currency: str = "EUR", *, release: int = 11, later: timedelta = timedelta(0)) -> bool:
    now = timezone.now() + later
    return market_stats.refresh_market_stat(release, currency, client_for=this_process().client_for, now=now)


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
    market_stats.enqueue_market_stat(11, "JPY")
    [(name, args)] = queued()
    assert all(isinstance(value, int | str) for value in args)
    getattr(optional_tasks, name)(*args)
    assert MarketStat.objects.get().currency == "JPY"
