"""Metrics: each figure about the engine, as it is read from stored rows."""

from datetime import timedelta

import pytest
from django_q.tasks import async_task

from collections_app.models import ApiGate
from pricing.monitoring import metrics
from pricing.monitoring.alerts import Metrics, measure
from pricing.monitoring.metrics import percentile
from tests import factories as make
from tests.pricing.monitoring.noon import NOON, ago, later, make_ends, make_job

pytestmark = pytest.mark.django_db
SECONDS = timedelta(seconds=15)


def test_measure_of_an_idle_site_is_empty():
    assert measure(now=NOON) == Metrics()


# Processes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "seconds", "running"),
    [("supervisor", 5, 1), ("supervisor", 20, 0), ("worker", 5, 0)],
)
def test_running_supervisors_were_seen_lately(role, seconds, running):
    make.make_heartbeat(role=role, seen_at=ago(seconds=seconds))
    assert metrics.running_supervisors(now=NOON) == running


@pytest.mark.parametrize("seconds", [-3600, -61, -60, -5, 0, 14.9, 15, 3600])
def test_is_recently_seen_agrees_with_the_query(seconds):
    process = make.make_heartbeat(role="supervisor", seen_at=ago(seconds=seconds))
    assert metrics.is_recently_seen(process, now=NOON) is bool(metrics.running_supervisors(now=NOON))


def test_supervisor_last_seen_at_is_the_newest():
    assert metrics.supervisor_last_seen_at() is None
    make.make_heartbeat(1, role="supervisor", seen_at=ago(hours=1))
    make.make_heartbeat(2, role="supervisor", seen_at=ago(minutes=1))
    make.make_heartbeat(3, role="worker", seen_at=NOON)
    assert metrics.supervisor_last_seen_at() == ago(minutes=1)


@pytest.mark.parametrize(
    ("role", "megabytes", "seconds", "is_heavy"),
    [
        ("worker", 308, 10, True),
        ("worker", 307, 10, False),
        ("worker", 400, 90, False),
        ("supervisor", 400, 10, False),
    ],
)
def test_workers_above_their_memory_limit(role, megabytes, seconds, is_heavy):
    make.make_heartbeat(role=role, rss_bytes=megabytes * 10**6, seen_at=ago(seconds=seconds))
    assert bool(measure(now=NOON).heavy) is is_heavy


def test_workers_without_limit_are_not_heavy(settings):
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "max_rss": None}
    make.make_heartbeat(rss_bytes=10**12, seen_at=NOON)
    assert measure(now=NOON).heavy == ()


# Requests and the gate -------------------------------------------------------------------------------


@pytest.mark.parametrize("supervisors", [0, 1, 3])
def test_rate_is_shared_between_supervisors(settings, supervisors):
    settings.DISCOGS_RATE_LIMIT, settings.DISCOGS_RATE_WINDOW = 60, 20
    for pid in range(supervisors):
        make.make_heartbeat(pid, role="supervisor", seen_at=NOON)
    assert metrics.rate_of_this_host(now=NOON) == 3 / max(1, supervisors)


def test_fault_share_is_of_the_last_minutes():
    within = timedelta(minutes=2)
    assert metrics.fault_share(now=NOON, within=within) == 0
    make.make_minute(NOON, 6, faults=3)
    make.make_minute(ago(minutes=1), 4, faults=1)
    make.make_minute(ago(minutes=3), 90, faults=90)
    make.make_minute(NOON, 90, faults=90, egress="office")
    assert metrics.fault_share(now=NOON, within=within) == 0.4


def test_requests_by_minute_of_one_egress():
    make.make_minute(ago(minutes=1), 10, refusals=1, latency_ms_sum=4500, latency_ms_max=900)
    make.make_minute(ago(minutes=1), 30, egress="office")
    (minute,) = metrics.requests_by_minute(since=ago(minutes=1), until=NOON, egress="default").values()
    assert (minute.requests, minute.refusals, minute.average_ms, minute.max_ms) == (10, 1, 500, 900)


def test_outage_begins_with_the_first_fault():
    ApiGate.objects.create(egress="default", breaker="open", open_until=later(seconds=60).timestamp())
    make.make_minute(ago(minutes=30), 5, faults=5)  # an earlier one
    make.make_minute(ago(minutes=20), 60)
    make.make_minute(ago(minutes=8), 4, faults=4)
    make.make_minute(ago(minutes=3), 1, faults=1)
    assert measure(now=NOON).breaker_open_since == ago(minutes=8)


@pytest.mark.parametrize(
    "gate",
    [
        {"breaker": "closed"},
        {"breaker": "open", "open_until": ago(hours=2).timestamp()},
        {"breaker": "open", "open_until": later(seconds=9).timestamp(), "egress": "another host's"},
    ],
)
def test_outage_needs_an_open_gate_in_use(gate):
    ApiGate.objects.create(**{"egress": "default", **gate})
    make.make_minute(ago(minutes=10), 4, faults=4)
    assert measure(now=NOON).breaker_open_since is None


@pytest.mark.parametrize(("paused_until", "refusals"), [(later(seconds=60), 4), (ago(hours=1), 0)])
def test_refusals_count_while_gate_is_in_use(paused_until, refusals):
    ApiGate.objects.create(egress="default", refusals=4, paused_until=paused_until.timestamp())
    assert measure(now=NOON).refusals == refusals


# Jobs ------------------------------------------------------------------------------------------------


def test_queued_rows_are_those_of_the_queue():
    async_task("pricing.tasks.refresh_price", 0, save=False)
    assert metrics.queued_rows() == 1


def test_live_jobs_are_counted_by_state():
    make.make_jobs("due", "due", "running", "waiting")
    make.make_jobs("recorded", finished_at=NOON)
    assert metrics.live_jobs_by_state() == {"due": 2, "running": 1, "waiting": 1}
    assert metrics.live_jobs() == 4
    assert metrics.live_jobs(["due", "queued"]) == 2


def test_ended_jobs_are_counted_by_state():
    make_ends(recorded=2, dead=1)
    make_job("cancelled", finished_at=NOON)
    make_job("gone", finished_at=ago(hours=2))
    ended = metrics.ended_jobs_by_state(now=NOON, within=timedelta(hours=1))
    assert ended == {"recorded": 2, "dead": 1, "cancelled": 1}


def test_success_percent_leaves_out_cancelled():
    make_ends(recorded=3, dead=1)
    make_job("cancelled", finished_at=NOON)
    ended = metrics.ended_jobs_by_state(now=NOON, within=timedelta(hours=1))
    assert metrics.success_percent(ended) == 75


def test_jobs_per_second_leaves_out_cancelled():
    for state in ("recorded", "dead", "gone", "cancelled"):
        make_job(state, finished_at=ago(seconds=5))
    make_job("recorded", finished_at=ago(seconds=16))
    assert metrics.jobs_per_second(now=NOON, within=SECONDS) == 3 / 15


def test_request_p95_is_of_the_newest_jobs():
    assert metrics.request_p95_ms(now=NOON, within=SECONDS, limit=20) is None
    for number in range(21):
        make_job("recorded", finished_at=ago(seconds=number / 2), duration_ms=100 + number)
    make_job("recorded", finished_at=NOON, duration_ms=None)
    make_job("recorded", finished_at=ago(seconds=20), duration_ms=9000)
    assert metrics.request_p95_ms(now=NOON, within=SECONDS, limit=20) == 118


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([], 95, 0), ([7], 50, 7), ([7], 95, 7), ([1, 2], 50, 1), ([1, 2, 3], 50, 2), (range(1, 21), 95, 19)],
)
def test_percentile_is_an_observed_value(values, percent, expected):
    assert percentile(list(values), percent) == expected


def test_recent_ends_count_failed_jobs():
    make_ends(recorded=8, dead=4)
    make_ends(recorded=0, dead=5, at=ago(minutes=20))
    metrics = measure(now=NOON)
    assert (metrics.finished, metrics.failed) == (12, 4)


def test_recent_ends_are_the_newest():
    make_ends(recorded=50, dead=0)
    make_ends(recorded=0, dead=10, at=ago(minutes=5))
    metrics = measure(now=NOON)
    assert (metrics.finished, metrics.failed) == (50, 0)


@pytest.mark.parametrize(
    ("error_kind", "failing"), [("server", 1), ("data", 1), ("rate_limit", 0), ("waiting", 0), ("", 0)]
)
def test_recent_ends_count_failed_attempts(error_kind, failing):
    make_job("waiting", started_at=ago(seconds=10), error_kind=error_kind)
    assert measure(now=NOON).failed == failing


def test_recent_ends_leave_out_cancelled_jobs():
    make_job("cancelled", finished_at=ago(seconds=10))
    assert measure(now=NOON).finished == 0


def test_idle_since_the_oldest_queued_job():
    make_job("queued", queued_at=ago(seconds=90))
    make_job("queued", queued_at=ago(seconds=20))
    assert measure(now=NOON).idle_since == ago(seconds=90)


@pytest.mark.parametrize(("run_state", "waits"), [("running", True), ("paused", False), ("cancelled", False)])
def test_idle_since_a_due_job_if_it_is_wanted(run_state, waits):
    run = make.make_run(make.make_connection(), run_state, created_at=ago(minutes=2))
    make.make_item(run, make.make_release(), "due")
    assert (measure(now=NOON).idle_since == ago(minutes=2)) is waits


@pytest.mark.parametrize(
    ("state", "fields"),
    [("running", {"started_at": ago(seconds=15)}), ("recorded", {"finished_at": ago(seconds=15)})],
)
def test_idle_since_a_job_started_or_ended(state, fields):
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
def test_idle_since_is_none_if_the_gate_is_shut(shut):
    make_job("queued", queued_at=ago(minutes=5))
    ApiGate.objects.create(egress="default", **shut)
    assert measure(now=NOON).idle_since is None


def test_idle_since_the_gate_opened():
    make_job("queued", queued_at=ago(minutes=5))
    ApiGate.objects.create(egress="default", paused_until=ago(seconds=10).timestamp())
    assert measure(now=NOON).idle_since == ago(seconds=10)


# What alerts compose of them --------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [2, 20])
def test_measure_has_a_constant_query_count(jobs, django_assert_max_num_queries):
    make.make_jobs(*["due"] * jobs, "running")
    make_ends(recorded=jobs, dead=1)
    measure(now=NOON)  # the database schema is compared every few seconds only
    with django_assert_max_num_queries(7):
        measure(now=NOON)
