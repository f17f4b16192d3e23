"""The definitions of done, known, failed and cancelled, and figures that never fall."""

import uuid
from collections import deque
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collections_app.models import ImportPass, Release
from pricing.management.commands.sync_prices import facts_of
from pricing.models import PriceJob, SyncRun
from pricing.sync import runs
from pricing.sync.progress import progress_of, runs_for
from pricing.sync.recorder import finish_job
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def collection():
    return make.make_connection()


def progress(run: SyncRun):
    run.refresh_from_db()
    return progress_of(run, now=timezone.now())


def filled(run: SyncRun, **states: int) -> SyncRun:
    for state, number in states.items():
        for _ in range(number):
            make.make_item(run, make.make_release(), state, requests=1)
    return run


def test_cancelled_releases_are_not_done(collection):
    run = filled(make.make_run(collection, "cancelled"), recorded=18, dead=2, cancelled=5)
    now = progress(run)
    assert (now.total, now.done, now.known, now.failed, now.cancelled) == (25, 18, 18, 2, 5)
    assert (now.remaining, now.success_rate) == (0, 0.9)


def test_list_and_run_agree_on_what_is_done(collection):
    run = filled(make.make_run(collection), recorded=3, gone=1, dead=2, cancelled=5, due=4, running=1)
    (listed,) = runs_for(collection.user_id)
    now = progress(run)
    assert (listed.total, listed.done, listed.failed, listed.cancelled) == (16, 4, 2, 5)
    assert (now.total, now.done, now.failed, now.cancelled) == (16, 4, 2, 5)
    assert (now.remaining, now.at_work) == (5, 1)


def test_retry_keeps_requests_of_replaced_jobs(collection):
    run = make.make_run(collection, "finished")
    make.make_item(run, make.make_release(), "recorded", requests=1)
    for _ in range(2):
        make.make_item(run, make.make_release(), "dead", requests=3)
    assert progress(run).requests == 7
    assert runs.retry_failed(run, now=timezone.now()) == 2
    assert progress(run).requests == 7
    run.items.exclude(job__state="recorded").first().job.delete()
    assert progress(run).requests == 7
    assert runs.retry_failed(run, now=timezone.now()) == 0
    assert progress(run).requests == 7


RELEASES = range(6)
ENDS = ["recorded", "none_for_sale", "blocked", "gone", "not_found", "dead"]
EVENTS = st.one_of(
    st.tuples(st.just("end"), st.sampled_from(RELEASES), st.sampled_from(ENDS)),
    st.tuples(st.just("wait"), st.sampled_from(RELEASES)),
    st.tuples(st.sampled_from(["pause", "resume", "cancel", "retry"]), st.sampled_from(["first", "second"])),
)


def happen(event: tuple, sync_runs: dict[str, SyncRun], releases: list[Release]) -> None:
    """Let a worker end or put off the live job of a release, or its owner act on a run."""
    now, (name, about, *rest) = timezone.now(), event
    if name in ("end", "wait"):
        job = PriceJob.objects.live().filter(release=releases[about]).first()
        if job is None:
            return
        job.state, job.lease_owner = PriceJob.State.RUNNING, uuid.uuid4()
        job.save()
        finish_job(job, rest[0] if rest else "waiting", duration_ms=1, requests=1, now=now)
    elif name in ("pause", "resume"):
        {"pause": runs.pause_run, "resume": runs.resume_run}[name](sync_runs[about])
    else:
        {"cancel": runs.cancel_run, "retry": runs.retry_failed}[name](sync_runs[about], now=now)


def figures(run: SyncRun) -> tuple[int, int]:
    """What must not fall, and a check that each release is counted once."""
    now, listed = progress(run), SyncRun.objects.with_counts().get(pk=run.pk)
    assert now.done + now.failed + now.cancelled + now.remaining == now.total
    assert now.remaining == run.items.filter(job__state__in=PriceJob.LIVE).count()
    assert (listed.done, listed.failed, listed.cancelled) == (now.done, now.failed, now.cancelled)
    return now.done, now.requests


@given(events=st.lists(EVENTS, max_size=25))
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_figures_never_fall(db, events):
    """Two runs of different owners over the same releases, of which the second has one more."""
    with transaction.atomic():
        releases = [make.make_release() for _ in RELEASES]
        sync_runs = {"first": make.make_run(make.make_connection("a"), "importing")}
        sync_runs["second"] = make.make_run(make.make_connection("b"), "importing")
        for run, chosen in zip(sync_runs.values(), (releases[:-1], releases), strict=True):
            deque(runs.plan_run(run, [release.pk for release in chosen], now=timezone.now()), maxlen=0)
        before = {name: figures(run) for name, run in sync_runs.items()}
        for event in events:
            happen(event, sync_runs, releases)
            after = {name: figures(run) for name, run in sync_runs.items()}
            for name in sync_runs:
                assert all(new >= old for old, new in zip(before[name], after[name], strict=True)), event
            before = after
        transaction.set_rollback(True)


def test_failed_import_counts_its_requests(collection):
    import_pass = ImportPass.objects.create(
        connection=collection,
        state="failed",
        requests=12,
        started_at=timezone.now(),
        finished_at=timezone.now(),
    )
    run = make.make_run(
        collection, "failed", import_pass=import_pass, created_at=timezone.now() - timedelta(minutes=1)
    )
    now = progress(run)
    assert (now.requests, now.import_requests, now.price_requests) == (12, 12, 0)
    assert facts_of(now)["requests"] == 12


def test_earlier_import_is_not_counted(collection):
    before = timezone.now() - timedelta(hours=1)
    import_pass = ImportPass.objects.create(
        connection=collection, state="complete", requests=12, started_at=before, finished_at=before
    )
    assert progress(make.make_run(collection, import_pass=import_pass)).requests == 0


def test_next_try_is_the_earliest_of_the_waiting(collection):
    run, soon = make.make_run(collection), timezone.now() + timedelta(seconds=40)
    for at in (soon, soon + timedelta(hours=1)):
        make.make_item(run, make.make_release(), "waiting", not_before=at)
    make.make_item(run, make.make_release(), "dead", not_before=soon - timedelta(hours=1))
    now = progress(run)
    assert (now.waiting, now.next_try_at) == (2, soon)


def test_command_counts_each_release_once(collection):
    run = filled(make.make_run(collection, "cancelled"), recorded=3, blocked=1, dead=1, cancelled=2)
    facts = facts_of(progress(run))
    counted = ("recorded", "reused", "none_for_sale", "blocked", "gone", "not_found", "failed", "cancelled")
    assert sum(facts[name] for name in counted) == facts["total"] == 7
