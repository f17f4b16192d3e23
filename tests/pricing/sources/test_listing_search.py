"""The probe of the listing search against the sandbox."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from collections_app.discogs.gate import configured_gate
from collections_app.models import ApiGate, Capability
from pricing import optional_tasks
from pricing.sources import listing_search
from pricing.sources.feeder import feed_if_idle
from pricing.tasks import this_process
from tests.pricing.sources.owners import connection_of, make_owner, queued

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)


@pytest.fixture
def collector(make_collector, generous_sandbox):
    return make_owner(make_collector, generous_sandbox, "collector")


def feed() -> int:
    return feed_if_idle(now=timezone.now())


def probe(*, later: timedelta = timedelta(0)) -> bool:
    now = timezone.now() + later
    return listing_search.probe_listing_search(client_for=this_process().client_for, now=now)


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
