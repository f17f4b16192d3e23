import os
import socket
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task

from collections_app.discogs.gate import configured_gate
from pricing.models import PriceJob, SyncRun
from pricing.sync import feeder, reconciler, runs
from pricing.tasks import refresh_price
from tests.pricing.engine import drain_queue, import_all, work_until_idle

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two_runs(make_collector, generous_sandbox, settings) -> list[SyncRun]:
    """A large run, and a small one that begins later."""
    settings.PRICE_QUEUE_SIZE = 10
    started = []
    for name, releases in (("large", range(100, 180)), ("small", range(200, 206))):
        user = make_collector(generous_sandbox, name, release_ids=releases)
        import_all(user)
        started.append(
            runs.start_sync(user, trigger=SyncRun.Trigger.CLICK, now=timezone.now(), import_first=False)
        )
    return started


def states() -> dict[str, int]:
    found: dict[str, int] = {}
    for state in PriceJob.objects.values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def test_queue_is_kept_short(two_runs):
    assert feeder.feed(now=timezone.now()) == 10
    assert feeder.feed(now=timezone.now()) == 0
    assert OrmQ.objects.count() == 10


def test_small_run_is_not_behind_a_large_one(two_runs):
    feeder.feed(now=timezone.now())
    queued = PriceJob.objects.filter(state=PriceJob.State.QUEUED)
    assert queued.filter(items__run=two_runs[1]).count() == 5


def queued_runs() -> list[int]:
    """The run of each price job in the queue, in the order of the queue."""
    rows = OrmQ.objects.order_by("lock", "id")
    return [PriceJob.objects.get(pk=row.task["args"][0]).items.get().run_id for row in rows]


def test_later_run_goes_before_queued_jobs(two_runs):
    large, small = two_runs
    runs.pause_run(small)
    feeder.feed(now=timezone.now())
    runs.resume_run(small)
    OrmQ.objects.filter(pk__in=OrmQ.objects.order_by("lock", "id")[:3].values("pk")).delete()
    PriceJob.objects.filter(pk__in=PriceJob.objects.filter(state=PriceJob.State.QUEUED)[:3]).update(
        state=PriceJob.State.RECORDED, finished_at=timezone.now()
    )
    feeder.feed(now=timezone.now())
    assert queued_runs() == [small.pk] * 3 + [large.pk] * 7


def test_runs_take_turns_for_single_places(two_runs, settings):
    fed = []
    for size in range(1, 9):
        settings.PRICE_QUEUE_SIZE = size
        feeder.feed(now=timezone.now())
        fed.append(queued_runs().count(two_runs[1].pk))
    assert fed == [0, 1, 1, 2, 2, 3, 3, 4]


def test_other_work_goes_before_background_prices(two_runs):
    OrmQ.objects.all().delete()
    feeder.feed(now=timezone.now())
    async_task("collections_app.tasks.run_import_step", 0, save=False)
    assert OrmQ.objects.order_by("lock", "id")[0].task["func"] == "collections_app.tasks.run_import_step"


def test_job_awaited_by_a_user_goes_first(two_runs):
    last = PriceJob.objects.filter(items__run=two_runs[0]).latest("pk")
    PriceJob.objects.filter(pk=last.pk).update(lane=PriceJob.Lane.INTERACTIVE)
    feeder.feed(now=timezone.now())
    assert OrmQ.objects.order_by("lock", "id")[0].task["args"] == (last.pk,)


def test_paused_gate_feeds_nothing(two_runs):
    configured_gate().record_refusal(retry_after=30)
    assert feeder.feed(now=timezone.now()) == 0


def test_paused_run_is_fed_once_resumed(two_runs):
    for run in two_runs:
        runs.pause_run(run)
    assert feeder.feed(now=timezone.now()) == 0
    runs.resume_run(two_runs[1])
    assert feeder.feed(now=timezone.now()) == 6


def test_cancelled_run_makes_no_further_request(two_runs, generous_sandbox):
    feeder.feed(now=timezone.now())
    for run in two_runs:
        runs.cancel_run(run, now=timezone.now())
    generous_sandbox.reset("stats")
    drain_queue()
    assert generous_sandbox.stats()["accepted"] == 0
    assert states() == {"cancelled": 86}


def test_job_with_lost_row_is_reclaimed(two_runs):
    feeder.feed(now=timezone.now())
    OrmQ.objects.all().delete()
    assert reconciler.reconcile(now=timezone.now() + timedelta(seconds=6)) == 10
    assert states() == {"due": 86}


def test_job_signed_with_another_key_is_reclaimed(two_runs):
    feeder.feed(now=timezone.now())
    OrmQ.objects.update(payload="signed:elsewhere")
    assert reconciler.reconcile(now=timezone.now() + timedelta(seconds=6)) == 10


def test_row_never_begun_is_reclaimed(two_runs):
    feeder.feed(now=timezone.now())
    now = timezone.now()
    OrmQ.objects.update(lock=now + reconciler.RETRY)
    assert reconciler.reconcile(now=now + timedelta(seconds=10)) == 0
    assert reconciler.reconcile(now=now + timedelta(seconds=41)) == 10


def running_job(**fields) -> PriceJob:
    job = PriceJob.objects.earliest("pk")
    values = {
        "state": PriceJob.State.RUNNING,
        "attempts": 1,
        "worker": f"{socket.gethostname()}:{os.getpid()}",
    }
    PriceJob.objects.filter(pk=job.pk).update(**{**values, **fields})
    return job


def test_lapsed_lease_is_reclaimed(two_runs):
    job = running_job(lease_until=timezone.now() - timedelta(seconds=1))
    reconciler.reconcile(now=timezone.now())
    job.refresh_from_db()
    assert (job.state, job.attempts) == (PriceJob.State.DUE, 1)


def test_job_of_dead_worker_is_reclaimed_soon(two_runs):
    job = running_job(
        lease_until=timezone.now() + timedelta(seconds=30), worker=f"{socket.gethostname()}:999999999"
    )
    reconciler.reconcile(now=timezone.now())
    job.refresh_from_db()
    assert job.state == PriceJob.State.DUE


def test_running_job_is_left_alone(two_runs):
    job = running_job(lease_until=timezone.now() + timedelta(seconds=30))
    assert reconciler.reconcile(now=timezone.now()) == 0
    job.refresh_from_db()
    assert job.state == PriceJob.State.RUNNING


def test_job_killing_three_workers_fails(two_runs):
    job = running_job(lease_until=timezone.now() - timedelta(seconds=1), attempts=3)
    reconciler.reconcile(now=timezone.now())
    job.refresh_from_db()
    assert (job.state, job.error_kind) == (PriceJob.State.DEAD, "worker")
    assert "died" in job.error


def test_viewed_release_overtakes_the_queue(two_runs, generous_sandbox):
    feeder.feed(now=timezone.now())
    in_order = OrmQ.objects.order_by("lock", "id")
    release = PriceJob.objects.filter(items__run=two_runs[0]).latest("pk").release_id
    assert runs.check_release(release, now=timezone.now())
    refresh_price(in_order[0].task["args"][0])
    feeder.feed(now=timezone.now())
    first = in_order[0].task["args"][0]
    assert PriceJob.objects.get(pk=first).release_id == release


def test_just_checked_price_is_not_requested(two_runs):
    work_until_idle()
    release = PriceJob.objects.first().release_id
    assert not runs.check_release(release, now=timezone.now())


def test_feeding_from_memory_takes_each_job_once(two_runs):
    ahead, fed = feeder.Ahead(), 0
    while more := feeder.feed(now=timezone.now(), ahead=ahead):
        fed += more
        drain_queue()
    assert fed == 86
    assert not PriceJob.objects.live().exists()


def test_feeder_reads_a_large_run_once(two_runs):
    runs.pause_run(two_runs[1])
    ahead = feeder.Ahead()
    feeder.feed(now=timezone.now(), ahead=ahead)
    drain_queue()
    with CaptureQueriesContext(connection) as queries:
        assert feeder.feed(now=timezone.now(), ahead=ahead) == 10
    assert not [query for query in queries if "runitem" in query["sql"] and "ORDER BY" in query["sql"]]


def test_feeding_from_memory_skips_cancelled_jobs(two_runs):
    ahead = feeder.Ahead()
    feeder.feed(now=timezone.now(), ahead=ahead)
    runs.cancel_run(two_runs[0], now=timezone.now())
    drain_queue()
    assert feeder.feed(now=timezone.now(), ahead=ahead) <= 6
    assert not PriceJob.objects.filter(items__run=two_runs[0], state=PriceJob.State.QUEUED).exists()


def test_feeding_from_memory_finds_reclaimed_jobs(two_runs):
    ahead = feeder.Ahead()
    feeder.feed(now=timezone.now(), ahead=ahead)
    OrmQ.objects.all().delete()
    PriceJob.objects.filter(state=PriceJob.State.QUEUED).update(state=PriceJob.State.DUE)
    first = two_runs[0].items.earliest("pk").job_id
    while feeder.feed(now=timezone.now(), ahead=ahead):
        drain_queue()
    assert not PriceJob.objects.get(pk=first).is_live
