"""What a 404 does to a release that has a price, and to one that never had any."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from collections_app.models import ApiGate
from pricing.models import PriceJob, PriceSnapshot, ReleasePrice, SyncRun
from pricing.pages.queries import progress_of, value_for
from pricing.sync import planner, runs
from tests.pricing.engine import import_all, work_until_idle

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
RELEASES = range(1000, 1024)
GONE = '{"message": "Release not found."}'


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=True) as traveller:
        yield traveller


@pytest.fixture
def collector(clock, make_collector, generous_sandbox):
    user = make_collector(generous_sandbox, release_ids=RELEASES)
    for release in RELEASES:
        generous_sandbox.set_market(release, lowest_price="10", num_for_sale=3)
    import_all(user)
    sync(user)
    return user


def sync(user, stale_after: timedelta = timedelta(0)) -> SyncRun:
    """A sync, forced unless told otherwise: every release is asked for."""
    run = runs.start_sync(
        user,
        trigger=SyncRun.Trigger.CLICK,
        now=timezone.now(),
        import_first=False,
        stale_after=stale_after,
    )
    work_until_idle()
    run.refresh_from_db()
    return run


def answer_404(sandbox, path: str = "^/releases/", **fields) -> None:
    sandbox.add_fault(path=path, kind="status", **{"status": 404, "body": GONE, **fields})


def total(user) -> int:
    return value_for(user.pk, now=timezone.now()).amount_minor


def gone() -> int:
    return ReleasePrice.objects.filter(status="gone").count()


def test_html_404_is_an_outage_and_no_statement(collector, generous_sandbox):
    before = list(PriceSnapshot.objects.order_by("pk").values())
    answer_404(generous_sandbox, content_type="text/html", body="<h1>Not found</h1>")
    sync(collector)
    assert (gone(), total(collector)) == (0, 24_000)
    assert list(PriceSnapshot.objects.order_by("pk").values()) == before
    assert ApiGate.objects.get().breaker == ApiGate.Breaker.OPEN
    assert not PriceJob.objects.filter(state=PriceJob.State.DEAD).exists()


def test_first_404_keeps_every_price(collector, generous_sandbox):
    before = list(PriceSnapshot.objects.order_by("pk").values())
    answer_404(generous_sandbox)
    run = sync(collector)
    progress = progress_of(run, now=timezone.now())
    assert (progress.not_found, progress.gone, progress.failed, progress.known) == (24, 0, 0, 24)
    assert (run.state, gone(), total(collector)) == (SyncRun.State.FINISHED, 0, 24_000)
    assert list(PriceSnapshot.objects.order_by("pk").values()) == before


def test_second_404_allows_a_fifth_of_the_run(collector, clock, generous_sandbox):
    answer_404(generous_sandbox)
    sync(collector)
    clock.shift(timedelta(days=1))
    for lost in (4, 8):
        sync(collector, stale_after=timedelta(hours=6))
        assert (gone(), total(collector)) == (lost, 24_000 - lost * 1000)


def test_second_404_within_an_hour_is_ignored(collector, clock, generous_sandbox):
    clock.move_to(NOON + timedelta(hours=11))
    answer_404(generous_sandbox, path="/releases/1003")
    sync(collector)
    clock.move_to(NOON + timedelta(hours=11, minutes=59))
    sync(collector)
    clock.shift(timedelta(minutes=2))  # the next day, an hour and a minute after the first 404
    assert gone() == 0
    sync(collector)
    assert list(ReleasePrice.objects.filter(status="gone").values_list("pk", flat=True)) == [1003]


def test_reading_between_two_404s_restarts_count(collector, clock, generous_sandbox):
    answer_404(generous_sandbox, path="/releases/1003")
    sync(collector)
    clock.shift(timedelta(days=1))
    generous_sandbox.clear_faults()
    sync(collector)
    assert ReleasePrice.objects.get(pk=1003).not_found_at is None
    clock.shift(timedelta(days=1))
    answer_404(generous_sandbox, path="/releases/1003")
    sync(collector)
    assert gone() == 0


def test_snapshot_of_the_day_outlives_a_404(collector, clock, generous_sandbox):
    clock.move_to(NOON + timedelta(hours=1))
    answer_404(generous_sandbox, path="/releases/1003")
    for _ in range(3):
        sync(collector)
        clock.shift(timedelta(hours=2))
    snapshot = PriceSnapshot.objects.get(release=1003)
    assert (snapshot.status, snapshot.amount_minor) == ("priced", 1000)
    assert ReleasePrice.objects.get(pk=1003).status == "priced"


def test_small_run_may_lose_one_release(collector, clock, generous_sandbox):
    answer_404(generous_sandbox, path="/releases/100")
    for days in (0, 1):
        clock.shift(timedelta(days=days))
        runs.start_release_sync([1001, 1002, 1003], now=timezone.now(), stale_after=timedelta(0))
        work_until_idle()
    assert gone() == 1


def test_gone_release_counts_since_its_first_404(collector, clock, generous_sandbox):
    answer_404(generous_sandbox, path="/releases/1003")
    sync(collector)
    first = ReleasePrice.objects.get(pk=1003).not_found_at
    clock.shift(timedelta(days=1))
    sync(collector)
    price = ReleasePrice.objects.get(pk=1003)
    assert (price.status, price.status_since, price.not_found_at) == ("gone", first, None)


def test_never_priced_release_is_gone_at_once(clock, make_collector, generous_sandbox):
    user = make_collector(generous_sandbox, release_ids=[7, 8])
    generous_sandbox.set_market(7, gone=True)
    generous_sandbox.set_market(8, lowest_price=None)
    import_all(user)
    progress = progress_of(sync(user), now=timezone.now())
    assert (progress.gone, progress.none_for_sale, progress.not_found) == (1, 1, 0)
    clock.shift(timedelta(hours=23))
    assert planner.fresh_releases([7, 8], stale_after=timedelta(hours=6), now=timezone.now()) == [7]
    clock.shift(timedelta(hours=2))
    assert planner.fresh_releases([7, 8], stale_after=timedelta(hours=6), now=timezone.now()) == []


@pytest.mark.parametrize(
    "fault",
    [
        {"remove": ["/lowest_price"]},
        {"set": {"/lowest_price": None}},
        {"set": {"/lowest_price": None}, "remove": ["/num_for_sale"]},
    ],
    ids=["no price key", "null with listings", "null without a count"],
)
def test_missing_price_is_not_none_for_sale(collector, generous_sandbox, fault):
    generous_sandbox.add_fault(path="/releases/1003", kind="mutate", **fault)
    sync(collector)
    assert ReleasePrice.objects.get(pk=1003).amount_minor == 1000
    assert PriceJob.objects.filter(release=1003).latest("pk").error_kind == "data"


def test_unclear_401_ends_after_its_attempts(collector, clock, generous_sandbox):
    """401 for the release and 404 for the identity: neither says that the token is bad."""
    generous_sandbox.add_fault(path="/releases/1003", kind="status", status=401, body=GONE)
    generous_sandbox.add_fault(path="/oauth/identity", kind="status", status=404, body=GONE)
    sync(collector)
    for _ in range(6):
        clock.shift(timedelta(minutes=10))
        ApiGate.objects.update(open_until=0, paused_until=0)
        work_until_idle()
    job = PriceJob.objects.filter(release=1003).latest("pk")
    assert (job.state, job.error_kind, job.attempts) == (PriceJob.State.DEAD, "server", 3)
    assert collector.discogs_connection.is_active


def test_pages_say_that_the_price_was_kept(collector, client, generous_sandbox):
    answer_404(generous_sandbox, path="/releases/1003")
    run = sync(collector)
    client.force_login(collector)
    release, progress = (
        client.get(path).content.decode() for path in ("/release/1003/", f"/syncs/{run.pk}/")
    )
    assert "Discogs did not find this release" in release
    assert "Not found this time, last price kept" in progress
