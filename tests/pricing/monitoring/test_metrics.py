"""What alerts are decided by, as it is read from stored rows."""

from datetime import UTC, datetime, timedelta

import pytest

from collections_app.models import ApiGate, ApiMinute
from pricing.models import PriceJob, WorkerHeartbeat
from pricing.monitoring.alert_rules import Metrics
from pricing.monitoring.metrics import measure
from tests import factories as make

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def ago(**span: float) -> datetime:
    return NOON - timedelta(**span)


def later(**span: float) -> datetime:
    return NOON + timedelta(**span)


def make_job(state: str, **fields: object) -> PriceJob:
    values = {"created_at": ago(hours=1), **fields}
    return PriceJob.objects.create(release=make.make_release(), state=state, **values)


def make_ends(recorded: int, dead: int, *, at: datetime = NOON) -> None:
    for state, number in (("recorded", recorded), ("dead", dead)):
        for _ in range(number):
            make_job(state, finished_at=at - timedelta(seconds=30))


def test_idle_site_has_empty_metrics():
    assert measure(now=NOON) == Metrics()


def test_failed_jobs_are_counted_among_recent_ones():
    make_ends(recorded=8, dead=4)
    make_ends(recorded=0, dead=5, at=ago(minutes=20))
    signs = measure(now=NOON)
    assert (signs.finished, signs.failed) == (12, 4)


def test_only_the_newest_jobs_count():
    make_ends(recorded=50, dead=0)
    make_ends(recorded=0, dead=10, at=ago(minutes=5))
    signs = measure(now=NOON)
    assert (signs.finished, signs.failed) == (50, 0)


@pytest.mark.parametrize(
    ("error_kind", "failing"), [("server", 1), ("data", 1), ("rate_limit", 0), ("waiting", 0), ("", 0)]
)
def test_retrying_job_counts_but_waiting_one_not(error_kind, failing):
    make_job("waiting", started_at=ago(seconds=10), error_kind=error_kind)
    assert measure(now=NOON).failed == failing


def test_cancelled_job_has_no_outcome():
    make_job("cancelled", finished_at=ago(seconds=10))
    assert measure(now=NOON).finished == 0


def test_queued_work_is_idle_since_queued():
    make_job("queued", queued_at=ago(seconds=90))
    make_job("queued", queued_at=ago(seconds=20))
    assert measure(now=NOON).idle_since == ago(seconds=90)


@pytest.mark.parametrize(("run_state", "waits"), [("running", True), ("paused", False), ("cancelled", False)])
def test_due_work_counts_while_a_run_wants_it(run_state, waits):
    run = make.make_run(make.make_connection(), run_state, created_at=ago(minutes=2))
    make.make_item(run, make.make_release(), "due")
    assert (measure(now=NOON).idle_since == ago(minutes=2)) is waits


@pytest.mark.parametrize(
    ("state", "fields"),
    [("running", {"started_at": ago(seconds=15)}), ("recorded", {"finished_at": ago(seconds=15)})],
)
def test_starting_or_ending_job_is_progress(state, fields):
    make_job("queued", queued_at=ago(minutes=5))
    make_job(state, **fields)
    assert measure(now=NOON).idle_since == ago(seconds=15)


@pytest.mark.parametrize(
    "shut",
    [
        {"paused_until": later(seconds=5).timestamp()},
        {"breaker": "open", "open_until": later(seconds=5).timestamp()},
        {"breaker": "half_open", "open_until": later(seconds=5).timestamp()},
    ],
)
def test_work_waiting_for_the_gate_is_not_idle(shut):
    make_job("queued", queued_at=ago(minutes=5))
    ApiGate.objects.create(egress="default", **shut)
    assert measure(now=NOON).idle_since is None


def test_idle_time_restarts_after_a_pause():
    make_job("queued", queued_at=ago(minutes=5))
    ApiGate.objects.create(egress="default", paused_until=ago(seconds=10).timestamp())
    assert measure(now=NOON).idle_since == ago(seconds=10)


def make_minute(minutes_ago: int, requests: int, faults: int = 0, **fields: object) -> None:
    ApiMinute.objects.create(
        egress="default", minute=ago(minutes=minutes_ago), requests=requests, faults=faults, **fields
    )


def test_outage_begins_with_the_first_fault():
    ApiGate.objects.create(egress="default", breaker="open", open_until=later(seconds=60).timestamp())
    make_minute(30, 5, 5)  # an earlier one
    make_minute(20, 60)
    make_minute(8, 4, 4)
    make_minute(3, 1, 1)
    assert measure(now=NOON).breaker_open_since == ago(minutes=8)


@pytest.mark.parametrize(
    "gate",
    [
        {"breaker": "closed"},
        {"breaker": "open", "open_until": ago(hours=2).timestamp()},
        {"breaker": "open", "open_until": later(seconds=9).timestamp(), "egress": "another host's"},
    ],
)
def test_quiet_or_closed_gate_shows_no_outage(gate):
    ApiGate.objects.create(**{"egress": "default", **gate})
    make_minute(10, 4, 4)
    assert measure(now=NOON).breaker_open_since is None


@pytest.mark.parametrize(("paused_until", "refusals"), [(later(seconds=60), 4), (ago(hours=1), 0)])
def test_refusals_count_while_the_gate_is_used(paused_until, refusals):
    ApiGate.objects.create(egress="default", refusals=4, paused_until=paused_until.timestamp())
    assert measure(now=NOON).refusals == refusals


@pytest.mark.parametrize(
    ("role", "megabytes", "seconds", "is_heavy"),
    [
        ("worker", 308, 10, True),
        ("worker", 307, 10, False),
        ("worker", 400, 90, False),
        ("supervisor", 400, 10, False),
    ],
)
def test_worker_above_memory_limit_is_heavy(role, megabytes, seconds, is_heavy):
    WorkerHeartbeat.objects.create(
        host="h", pid=1, role=role, rss_bytes=megabytes * 10**6, started_at=NOON, seen_at=ago(seconds=seconds)
    )
    assert bool(measure(now=NOON).heavy) is is_heavy


def test_no_memory_limit_means_no_heavy_worker(settings):
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "max_rss": None}
    WorkerHeartbeat.objects.create(host="h", pid=1, rss_bytes=10**12, started_at=NOON, seen_at=NOON)
    assert measure(now=NOON).heavy == ()
