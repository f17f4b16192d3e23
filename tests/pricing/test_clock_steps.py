"""Times stored by a clock that was wrong: none of them holds work up, or keeps a price, until that time comes."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django_q.models import OrmQ
from django_q.tasks import async_task

from collections_app.importing.steps import idle_imports
from collections_app.models import ApiGate, Capability, ImportPass
from pricing.models import ExchangeRate, HealthAlert, PriceJob, ReleasePrice, SyncRun, WorkerHeartbeat
from pricing.monitoring import alerts, heartbeat
from pricing.monitoring.metrics import running_supervisors
from pricing.monitoring.stillness import Stillness
from pricing.sources import exchange_rates
from pricing.sources.feeder import feed_if_idle
from pricing.sync import feeder, planner, reconciler, runs
from pricing.sync.feeder import TASK
from pricing.workers import schedules
from pricing.workers.supervisor import measure_load
from tests import factories as make

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
AHEAD = NOON + timedelta(hours=1)
SLIGHTLY = NOON + timedelta(seconds=5)  # as by another host's clock


@pytest.fixture
def run():
    return make.make_run(make.make_connection(), "running")


def wanted_job(run, state: str, **fields: object) -> PriceJob:
    item = make.make_item(run, make.make_release(), state)
    PriceJob.objects.filter(pk=item.job_id).update(**fields)
    return PriceJob.objects.get(pk=item.job_id)


def queue_row(job: PriceJob, lock: datetime) -> OrmQ:
    async_task(TASK, job.pk, save=False)
    OrmQ.objects.update(lock=lock)
    return OrmQ.objects.get()


def test_feeder_feeds_jobs_beyond_any_wait(run):
    job = wanted_job(run, "waiting", not_before=AHEAD)
    assert feeder.feed(now=NOON) == 1
    job.refresh_from_db()
    assert job.state == "queued"


def test_feeder_keeps_to_a_plausible_wait(run):
    wanted_job(run, "waiting", not_before=NOON + timedelta(minutes=14))
    assert feeder.feed(now=NOON) == 0


@pytest.mark.parametrize(
    "gate", [{"paused_until": AHEAD.timestamp()}, {"breaker": "open", "open_until": AHEAD.timestamp()}]
)
def test_gate_shut_by_wrong_clock_is_ignored(run, gate):
    wanted_job(run, "queued", queued_at=NOON - timedelta(minutes=5))
    ApiGate.objects.create(egress="default", **gate)
    assert alerts.measure(now=NOON).idle_since is not None


def test_reconcile_frees_rows_locked_too_long(run):
    row = queue_row(wanted_job(run, "queued", queued_at=NOON), AHEAD)
    reconciler.reconcile(now=NOON)
    row.refresh_from_db()
    assert row.lock == NOON


def test_reconcile_leaves_rows_in_a_workers_hands(run):
    held_until = NOON + reconciler.RETRY
    row = queue_row(wanted_job(run, "queued", queued_at=NOON), held_until)
    reconciler.reconcile(now=NOON)
    row.refresh_from_db()
    assert row.lock == held_until


def test_reconcile_reclaims_jobs_from_the_future(run):
    job = wanted_job(run, "queued", queued_at=AHEAD)
    assert reconciler.reconcile(now=NOON) == 1
    job.refresh_from_db()
    assert job.state == "due"


def test_reconcile_shortens_and_reclaims_a_lease(run):
    job = wanted_job(run, "running", lease_until=AHEAD, lease_owner=uuid4(), worker="elsewhere:7", attempts=1)
    assert reconciler.reconcile(now=NOON) == 0  # its holder may be alive
    assert reconciler.reconcile(now=NOON + timedelta(seconds=36)) == 1
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("due", 1)


@pytest.mark.parametrize("field", ["lease_until", "not_before", "queued_at"])
@pytest.mark.parametrize(("moment", "idle"), [(AHEAD, True), (SLIGHTLY, False)])
def test_import_resumes_with_impossible_times(field, moment, idle):
    import_pass = ImportPass.objects.create(
        connection=make.make_connection(), started_at=NOON, **{field: moment}
    )
    assert (idle_imports(now=NOON) == [import_pass.pk]) is idle


def test_clock_set_back_blocks_no_waiting_work(run):
    """Also what lies ahead by less than its rule allows."""
    soon = NOON + timedelta(seconds=50)
    waiting = wanted_job(run, "waiting", not_before=soon)
    queued = wanted_job(run, "queued", queued_at=soon)
    row = queue_row(queued, soon)
    import_pass = ImportPass.objects.create(
        connection=run.user.discogs_connection, started_at=NOON, not_before=soon, queued_at=soon
    )
    reconciler.end_waits(now=NOON)
    for stored in (waiting, queued, row, import_pass):
        stored.refresh_from_db()
    assert (waiting.not_before, queued.queued_at, row.lock, import_pass.not_before) == (
        NOON,
        NOON,
        NOON,
        NOON,
    )
    assert idle_imports(now=NOON + timedelta(seconds=31)) == [import_pass.pk]


# Prices and rates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("moment", "fresh"), [(AHEAD, False), (SLIGHTLY, True)])
@pytest.mark.parametrize("status", ["priced", "gone"])
def test_price_from_the_future_is_not_fresh(moment, fresh, status):
    release = make.make_release()
    make.make_price(release, None if status == "gone" else 900, status=status, observed_at=NOON)
    ReleasePrice.objects.update(observed_at=moment)
    found = planner.fresh_releases([release.pk], stale_after=timedelta(hours=6), now=NOON)
    assert bool(found) is fresh


def test_price_from_the_future_is_due_first():
    old, future = make.make_release(), make.make_release()
    for release, moment in ((old, NOON - timedelta(days=9)), (future, AHEAD)):
        make.make_price(release, 900, observed_at=NOON)
        ReleasePrice.objects.filter(pk=release.pk).update(observed_at=moment)
    day = timedelta(days=1).total_seconds()
    run = make.make_run(make.make_connection(), "importing", trigger="schedule", stale_after_seconds=day)
    list(runs.plan_run(run, [old.pk, future.pk], now=NOON))
    assert list(run.items.order_by("pk").values_list("release_id", flat=True)) == [future.pk, old.pk]


def test_price_from_the_future_can_be_checked_now():
    release = make.make_release()
    make.make_price(release, 900, observed_at=NOON)
    ReleasePrice.objects.update(observed_at=AHEAD)
    assert runs.check_release(release.pk, now=NOON)


def test_rate_from_the_future_is_not_fresh():
    ExchangeRate.objects.create(currency="EUR", micros_per_usd=900_000, observed_at=AHEAD)
    assert not exchange_rates._fresh("EUR", NOON)


def test_search_from_the_future_is_repeated(settings):
    settings.DISCOGS_LISTING_SEARCH = True
    Capability.objects.create(name="search", is_available=False, checked_at=AHEAD)
    assert feed_if_idle(now=NOON) == 1


# Schedules ----------------------------------------------------------------------------------------------


def test_run_from_the_future_delays_no_run():
    connection = make.make_connection(connected_at=NOON - timedelta(days=9))
    make.make_run(connection, "finished", created_at=NOON + timedelta(days=300))
    assert schedules.start_due_runs(now=NOON) == 1
    # And the run just made counts: there is none with each tick.
    SyncRun.objects.filter(created_at=NOON).update(state="finished")
    assert schedules.start_due_runs(now=NOON + timedelta(minutes=1)) == 0


def test_failure_in_the_future_delays_no_run():
    connection = make.make_connection(connected_at=NOON - timedelta(days=9))
    run = make.make_run(connection, "failed", created_at=NOON - timedelta(days=2))
    SyncRun.objects.filter(pk=run.pk).update(finished_at=NOON + timedelta(days=300))
    assert schedules.start_due_runs(now=NOON) == 1


# Heartbeats and alerts ----------------------------------------------------------------------------------


def beat(seen_at: datetime, **fields: object) -> WorkerHeartbeat:
    values = {"host": "h", "pid": 1, "role": "supervisor", "started_at": NOON, **fields}
    return WorkerHeartbeat.objects.create(seen_at=seen_at, **values)


@pytest.mark.parametrize(("moment", "running"), [(AHEAD, False), (SLIGHTLY, True)])
def test_heartbeat_from_the_future_is_not_alive(moment, running):
    beat(moment)
    assert bool(running_supervisors(now=NOON)) is running
    heartbeat.delete_silent(now=NOON)
    assert WorkerHeartbeat.objects.exists() is running


def test_load_ignores_ends_in_the_future():
    PriceJob.objects.create(
        release=make.make_release(), state="recorded", created_at=NOON, finished_at=AHEAD, duration_ms=9000
    )
    load = measure_load(now=NOON)
    assert (load.throughput, load.p95_latency) == (0.0, 0.0)


def test_stall_is_noticed_despite_future_ends(run):
    wanted_job(run, "recorded", finished_at=AHEAD)
    wanted_job(run, "queued", queued_at=NOON - timedelta(minutes=2))
    assert [alert.kind for alert in alerts.evaluate(NOON)] == ["stall"]


def test_alert_opened_in_the_future_closes():
    HealthAlert.objects.create(kind="stall", message="…", opened_at=AHEAD)
    assert alerts.evaluate(NOON) == []


def test_alert_remembered_in_the_future_closes():
    lately = alerts.found_recently({"stall": AHEAD.timestamp()}, [], now=NOON)
    assert lately == {}


def test_clock_set_forward_is_no_stall(run):
    wanted_job(run, "queued", queued_at=NOON)
    assert alerts.evaluate(AHEAD, still_for=timedelta(seconds=3)) == []


# Nothing moves, whatever the stored times say -----------------------------------------------------------


class SteadyClock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def steady() -> SteadyClock:
    return SteadyClock()


def look(stillness: Stillness, steady: SteadyClock, *, minutes: float) -> list[HealthAlert]:
    steady.seconds += 60 * minutes
    return alerts.evaluate(NOON, still_for=stillness.look())


@pytest.mark.parametrize(
    ("gate", "reason"),
    [
        ({"paused_until": (NOON + timedelta(minutes=14)).timestamp()}, "another 840 seconds"),
        ({"breaker": "half_open", "open_until": SLIGHTLY.timestamp()}, "does not answer"),
        ({}, "requests are allowed"),
    ],
)
def test_alert_says_why_nothing_has_ended(run, steady, gate, reason):
    ApiGate.objects.create(egress="default", **gate)
    wanted_job(run, "running", started_at=SLIGHTLY, lease_until=SLIGHTLY)
    stillness = Stillness(steady)
    assert look(stillness, steady, minutes=0) == []
    assert look(stillness, steady, minutes=4.9) == []
    (alert,) = look(stillness, steady, minutes=0.2)
    assert alert.kind == "stall"
    assert reason in alert.message
    assert "Nothing is lost" in alert.message


def test_stall_ends_when_a_job_ends(run, steady):
    job = wanted_job(run, "running", started_at=SLIGHTLY)
    wanted_job(run, "queued", queued_at=AHEAD)
    stillness = Stillness(steady)
    stillness.look()
    PriceJob.objects.filter(pk=job.pk).update(state="recorded", finished_at=NOON - timedelta(hours=1))
    assert look(stillness, steady, minutes=6) == []


def test_stall_ends_when_an_import_advances(steady):
    import_pass = ImportPass.objects.create(connection=make.make_connection(), started_at=NOON)
    stillness = Stillness(steady)
    stillness.look()
    ImportPass.objects.filter(pk=import_pass.pk).update(next_page=2)
    assert look(stillness, steady, minutes=6) == []
    assert [alert.kind for alert in look(stillness, steady, minutes=6)] == ["stall"]


@pytest.mark.parametrize("run_state", ["paused", "cancelled"])
def test_no_stall_if_no_work_is_wanted(steady, run_state):
    run = make.make_run(make.make_connection(), run_state)
    wanted_job(run, "due")
    stillness = Stillness(steady)
    stillness.look()
    assert look(stillness, steady, minutes=10) == []
