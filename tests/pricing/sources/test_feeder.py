"""Optional requests are queued while there is no other work, and a sync never notices them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from collections_app.discogs.gate import configured_gate
from collections_app.models import ImportPass
from pricing import optional_tasks
from pricing.models import DiscogsRange, ExchangeRate, NearMintPrice, ReleasePrice, SyncRun
from pricing.sources import market_stats, suggestions
from pricing.sources.feeder import feed_if_idle
from pricing.sync import runs
from pricing.tasks import this_process
from tests.factories import make_run
from tests.pricing.engine import work_until_idle
from tests.pricing.sources.owners import connection_of, make_owner, queued

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def collector(make_collector, generous_sandbox):
    ExchangeRate.objects.create(currency="GBP", micros_per_usd=800_000, observed_at=timezone.now())
    return make_owner(make_collector, generous_sandbox, "collector", seller_currency="GBP")


def ask(release: int = 11) -> bool:
    return suggestions.refresh_suggestions(release, client_for=this_process().client_for, now=timezone.now())


def feed() -> int:
    return feed_if_idle(now=timezone.now())


def test_optional_requests_are_queued_once_if_idle(collector):
    assert feed() == 4
    suggested = [("refresh_suggestions", (release,)) for release in (13, 12, 11)]
    assert queued() == [("refresh_range", (connection_of(collector).pk,)), *suggested]
    assert feed() == 0


def test_queue_entries_do_their_work(collector, generous_sandbox):
    feed()
    for name, args in queued():
        getattr(optional_tasks, name)(*args)
    assert NearMintPrice.objects.values("release").distinct().count() == 3
    assert DiscogsRange.objects.count() == 1
    assert generous_sandbox.stats()["accepted"] == 4


@pytest.mark.parametrize("state", ["running", "importing"])
def test_nothing_is_queued_during_a_sync(collector, generous_sandbox, state):
    make_run(connection_of(collector), state)
    assert feed() == 0
    assert ask() is False
    assert generous_sandbox.stats()["accepted"] == 0


def test_nothing_is_queued_during_an_import(collector):
    ImportPass.objects.create(connection=connection_of(collector), started_at=timezone.now())
    assert feed() == 0


def test_paused_run_blocks_nothing(collector):
    make_run(connection_of(collector), "paused")
    assert feed() == 4


def test_nothing_is_queued_while_gate_is_closed(collector):
    configured_gate().record_refusal(retry_after=30)
    assert feed() == 0


def test_a_third_of_the_limit_is_used_at_most(collector, settings):
    settings.DISCOGS_RATE_LIMIT, settings.DISCOGS_RATE_WINDOW = 6, 60.0
    assert feed() == 2


def test_ranges_and_suggestions_share_the_budget(collector, make_collector, generous_sandbox, settings):
    settings.DISCOGS_RATE_LIMIT, settings.DISCOGS_RATE_WINDOW = 6, 60.0
    make_owner(make_collector, generous_sandbox, "other")
    assert feed() == 2
    assert [name for name, _ in queued()] == ["refresh_range", "refresh_range"]


def test_sync_succeeds_after_optional_requests(collector, generous_sandbox):
    ask()
    market_stats.refresh_market_stat(11, "EUR", client_for=this_process().client_for, now=timezone.now())
    run = runs.start_sync(
        collector,
        trigger=SyncRun.Trigger.CLICK,
        now=timezone.now(),
        stale_after=timedelta(0),
        import_first=False,
    )
    work_until_idle()
    run.refresh_from_db()
    assert run.state == SyncRun.State.FINISHED
    assert set(ReleasePrice.objects.values_list("amount_minor", flat=True)) == {800}
