"""Transitions of a run: start, plan, pause, resume, retry and end."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError
from django.db import connection as database
from django.utils import timezone

from pricing.models import PriceJob, SyncRun, ValueRequest
from pricing.sync import planner, runs
from pricing.value.band import Narrowing
from tests.factories import make_connection, make_copy, make_item, make_price, make_release, make_run
from tests.pricing.engine import advance_runs, import_all, work_until_idle

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 28, 12, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_plan_commits_in_chunks(monkeypatch):
    monkeypatch.setattr(planner, "CHUNK", 10)
    connection = make_connection()
    for _ in range(25):
        make_copy(connection)
    run = make_run(connection, "importing")
    held = sorted(set(connection.instances.held().release_ids()))
    counts = []
    for _ in runs.plan_run(run, held, now=NOW):
        run.refresh_from_db()
        counts.append((run.items.count(), run.state))
    run.refresh_from_db()
    assert counts == [(0, "importing")] * 3 + [(10, "importing"), (20, "importing"), (25, "importing")]
    assert run.state == SyncRun.State.RUNNING


def test_interrupted_plan_creates_no_second_job(monkeypatch):
    monkeypatch.setattr(planner, "CHUNK", 10)
    connection = make_connection()
    for _ in range(25):
        make_copy(connection)
    run = make_run(connection, "importing")
    held = sorted(set(connection.instances.held().release_ids()))
    for _ in runs.plan_run(run, held, now=NOW):
        if run.items.exists():
            break
    # What the first ten were to fetch, another run fetches meanwhile.
    PriceJob.objects.update(state=PriceJob.State.RECORDED, finished_at=NOW)
    list(runs.plan_run(run, held, now=NOW))
    run.refresh_from_db()
    assert run.state == SyncRun.State.RUNNING
    assert (run.items.count(), PriceJob.objects.count()) == (25, 25)


def test_plan_of_a_cancelled_run_goes_no_further(monkeypatch):
    monkeypatch.setattr(planner, "CHUNK", 10)
    connection = make_connection()
    for _ in range(25):
        make_copy(connection)
    run = make_run(connection, "importing")
    for _ in runs.plan_run(run, sorted(set(connection.instances.held().release_ids())), now=NOW):
        if run.items.exists():
            runs.cancel_run(run, now=NOW)
    run.refresh_from_db()
    assert run.state == SyncRun.State.CANCELLED
    assert run.items.count() == 10
    assert set(PriceJob.objects.values_list("state", flat=True)) == {"cancelled"}


def test_failed_plan_leaves_no_idle_job():
    run = SyncRun.objects.create(state="importing", trigger="command", stale_after_seconds=0, created_at=NOW)
    item = make_item(run, make_release(), "due")
    advance_runs(now=NOW + 11 * MINUTE)
    item.job.refresh_from_db()
    assert item.job.state == PriceJob.State.CANCELLED


def test_abandoned_import_run_ends_with_a_reason():
    run = SyncRun.objects.create(state="importing", trigger="command", stale_after_seconds=0, created_at=NOW)
    advance_runs(now=NOW + MINUTE)
    run.refresh_from_db()
    assert run.state == SyncRun.State.IMPORTING
    advance_runs(now=NOW + 11 * MINUTE)
    run.refresh_from_db()
    assert (run.state, "Start it again" in run.error) == (SyncRun.State.FAILED, True)


def test_plan_of_a_dead_command_is_taken_over():
    connection = make_connection()
    make_copy(connection)
    read = connection.import_passes.create(state="complete", started_at=NOW, finished_at=NOW)
    run = make_run(connection, "importing", import_pass=read)
    advance_runs(now=NOW)
    run.refresh_from_db()
    assert (run.state, run.items.count()) == (SyncRun.State.RUNNING, 1)


def test_cancelled_run_keeps_shared_jobs(make_collector, generous_sandbox):
    started = []
    for name in ("one", "two"):
        user = make_collector(generous_sandbox, name, release_ids=[31, 32])
        import_all(user)
        started.append(
            runs.start_sync(user, trigger=SyncRun.Trigger.CLICK, now=timezone.now(), import_first=False)
        )
    runs.cancel_run(started[0], now=timezone.now())
    work_until_idle()
    started[1].refresh_from_db()
    assert started[1].state == SyncRun.State.FINISHED


@pytest.mark.parametrize(
    ("state", "may_be_left"),
    [
        ("finished", {"importing", "running"}),
        ("cancelled", {"importing", "running", "paused"}),
        ("failed", {"importing", "running", "paused"}),
    ],
)
@pytest.mark.parametrize("before", SyncRun.State.values)
def test_end_run_leaves_these_states_only(before, state, may_be_left):
    run = make_run(make_connection(), before, error="earlier")
    ended = runs.end_run(run, SyncRun.State(state), now=NOW, error="why")
    run.refresh_from_db()
    assert ended is (before in may_be_left)
    assert (run.state, run.error) == ((state, "why") if ended else (before, "earlier"))
    assert (run.finished_at == NOW) is ended
    assert ValueRequest.objects.exists() is (ended and state == "finished")


@pytest.mark.parametrize("state", ["cancelled", "failed"])
def test_end_run_cancels_idle_jobs_only(state):
    run = make_run(make_connection())
    for job_state in ("due", "queued", "waiting", "running", "recorded", "dead", None):
        make_item(run, make_release(), job_state)
    runs.end_run(run, SyncRun.State(state), now=NOW)
    left = run.items.order_by("pk").values_list("job__state", flat=True)
    assert list(left) == ["cancelled"] * 3 + ["running", "recorded", "dead", None]
    assert PriceJob.objects.filter(state="cancelled", finished_at=NOW).count() == 3


@pytest.mark.parametrize(
    ("other", "is_kept"), [("importing", True), ("running", True), ("paused", True), ("finished", False)]
)
def test_end_run_keeps_jobs_of_active_runs(other, is_kept):
    run = make_run(make_connection("one"))
    item = make_item(run, make_release(), "due")
    make_run(make_connection("two"), other).items.create(release=item.release, job=item.job)
    runs.end_run(run, SyncRun.State.CANCELLED, now=NOW)
    item.job.refresh_from_db()
    assert (item.job.state == PriceJob.State.DUE) is is_kept


def test_end_run_changes_all_or_nothing():
    run = make_run(make_connection())
    make_item(run, make_release(), "due")

    def fail(execute, sql, params, many, context):
        if sql.startswith('UPDATE "pricing_pricejob"'):
            raise OperationalError("away")
        return execute(sql, params, many, context)

    with pytest.raises(OperationalError), database.execute_wrapper(fail):
        runs.cancel_run(run, now=NOW)
    run.refresh_from_db()
    assert run.state == SyncRun.State.RUNNING


def test_fail_runs_of_ends_that_users_run():
    mine, theirs = make_run(make_connection("one"), "paused"), make_run(make_connection("two"))
    runs.fail_runs_of(mine.user_id, error="why", now=NOW)
    mine.refresh_from_db()
    theirs.refresh_from_db()
    assert (mine.state, mine.error, theirs.state) == ("failed", "why", "running")


def test_run_with_fresh_prices_only_is_finished():
    connection = make_connection()
    release = make_copy(connection).release
    make_price(release, 1000, observed_at=NOW)
    run = runs.start_release_sync([release.pk], now=NOW)
    assert (run.state, run.finished_at) == (SyncRun.State.FINISHED, NOW)
    assert ValueRequest.objects.filter(run=run).exists()


@pytest.mark.parametrize("state", ["importing", "running", "paused", "finished"])
def test_pause_and_resume_leave_other_states(state):
    run = make_run(make_connection(), state)
    runs.resume_run(run)
    run.refresh_from_db()
    assert run.state == ("running" if state == "paused" else state)
    runs.pause_run(run)
    run.refresh_from_db()
    assert run.state == ("paused" if state in ("running", "paused") else state)


def test_retry_failed_resumes_with_new_jobs():
    run = make_run(make_connection(), "finished")
    items = [make_item(run, make_release(), state) for state in ("dead", "recorded")]
    assert runs.retry_failed(run, now=NOW) == 1
    run.refresh_from_db()
    assert (run.state, run.finished_at) == (SyncRun.State.RUNNING, None)
    assert list(run.items.order_by("pk").values_list("job__state", flat=True)) == ["due", "recorded"]
    assert PriceJob.objects.get(pk=items[0].job_id).state == PriceJob.State.DEAD
    assert runs.retry_failed(run, now=NOW) == 0


@pytest.mark.parametrize("other", ["importing", "running", "paused"])
def test_retry_failed_leaves_another_active_run(other):
    connection = make_connection()
    run = make_run(connection, "finished")
    item = make_item(run, make_release(), "dead")
    make_run(connection, other)
    assert runs.retry_failed(run, now=NOW) == 0
    run.refresh_from_db()
    item.refresh_from_db()
    assert (run.state, item.job.state) == (SyncRun.State.FINISHED, PriceJob.State.DEAD)


def test_retry_failed_waits_for_the_plan():
    run = make_run(make_connection(), "importing")
    make_item(run, make_release(), "dead")
    assert runs.retry_failed(run, now=NOW) == 0
    run.refresh_from_db()
    assert run.state == SyncRun.State.IMPORTING


def test_retry_failed_forgets_the_old_error():
    run = make_run(make_connection(), "failed", error="It broke.")
    make_item(run, make_release(), "dead")
    assert runs.retry_failed(run, now=NOW) == 1
    run.refresh_from_db()
    assert run.error == ""


def test_check_release_once_a_minute():
    release = make_release()
    make_price(release, 1000, observed_at=NOW - MINUTE / 2)
    assert not runs.check_release(release.pk, now=NOW)
    assert runs.check_release(release.pk, now=NOW + MINUTE)
    job = PriceJob.objects.get()
    assert (job.state, job.lane) == (PriceJob.State.DUE, PriceJob.Lane.INTERACTIVE)


def narrowing(*release_ids):
    return Narrowing(release_ids, before_minor=31_000.4, after_minor=4_000.6)


def test_narrowing_run_fetches_in_order_of_gain():
    connection = make_connection()
    releases = [make_copy(connection).release for _ in range(3)]
    for release in releases:
        make_price(release, 500, observed_at=NOW)  # fresh, and fetched all the same
    chosen = (releases[2].pk, releases[0].pk)
    run = runs.start_narrowing(connection.user_id, narrowing(*chosen), now=NOW)
    assert (run.state, run.user_id, run.import_pass) == (SyncRun.State.RUNNING, connection.user_id, None)
    assert tuple(run.items.order_by("pk").values_list("release_id", flat=True)) == chosen
    assert (run.half_before_minor, run.predicted_half_minor, run.is_narrowing) == (31_000, 4_001, True)


def test_narrowing_joins_an_active_run():
    connection = make_connection()
    active = make_run(connection, "paused")
    release = make_copy(connection).release
    assert runs.start_narrowing(connection.user_id, narrowing(release.pk), now=NOW) == active
    assert not PriceJob.objects.exists()


def test_narrowing_run_survives_the_supervisor():
    connection = make_connection()
    run = runs.start_narrowing(connection.user_id, narrowing(make_copy(connection).release.pk), now=NOW)
    advance_runs(now=NOW)
    run.refresh_from_db()
    assert run.state == SyncRun.State.RUNNING


def test_whole_leaves_out_narrowing_runs():
    connection = make_connection()
    whole = make_run(connection, "finished")
    make_run(connection, "finished", predicted_half_minor=0)
    assert SyncRun.objects.of(connection.user_id).whole().get() == whole
