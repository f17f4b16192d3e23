"""The state of the engine, as the admin page shows it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pricing.pages.queries.engine import engine_now
from tests.factories import make_heartbeat, make_jobs, make_minute

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


def ago(**span: float) -> datetime:
    return NOON - timedelta(**span)


def test_engine_now_without_any_rows():
    engine = engine_now(now=NOON)
    assert (engine.gate.status.left, engine.gate.breaker, engine.queue_rows) == (60, "closed", 0)
    assert (engine.live_jobs, engine.ended_jobs, engine.success_percent) == (0, 0, None)
    assert engine.workers == ()
    assert (engine.calibrated.mean_z2, engine.calibrated.covered_percent) == (None, None)
    assert engine.response_time.is_empty


def test_engine_now_reads_the_gate_once():
    with CaptureQueriesContext(connection) as seen:
        engine_now(now=NOON)
    assert sum("apigate" in query["sql"] for query in seen.captured_queries) == 1


def test_engine_now_counts_jobs_by_state():
    make_jobs("due", "due", "queued", "waiting")
    make_jobs("recorded", "recorded", "none_for_sale", "dead", "cancelled", finished_at=ago(hours=1))
    make_jobs("gone", finished_at=ago(hours=30))
    engine = engine_now(now=NOON)
    assert [count.number for count in engine.live] == [2, 1, 0, 1]
    assert {count.state: count.number for count in engine.ended if count.number} == {
        "recorded": 2,
        "none_for_sale": 1,
        "dead": 1,
        "cancelled": 1,
    }
    assert engine.success_percent == 75


def test_engine_now_has_every_whole_minute():
    make_minute(NOON, 5)  # not over yet
    make_minute(ago(minutes=1), 10, faults=1, refusals=1, latency_ms_sum=4000, latency_ms_max=900)
    make_minute(ago(minutes=180), 7)
    make_minute(ago(minutes=181), 99)
    make_jobs("recorded", "dead", "cancelled", finished_at=ago(minutes=1))
    minutes = engine_now(now=NOON).minutes
    assert (len(minutes), minutes[0].requests, minutes[0].at) == (
        180,
        7,
        datetime(2026, 3, 1, 9, 0, tzinfo=UTC),
    )
    newest = minutes[-1]
    assert (newest.requests, newest.faults, newest.refusals, newest.finished) == (10, 1, 1, 2)
    assert (newest.average_ms, newest.max_ms) == (500, 900)
    assert all(minute.is_quiet and minute.average_ms is None for minute in minutes[1:-1])


def test_engine_now_sums_over_egresses():
    make_minute(ago(minutes=1), 10, latency_ms_sum=1000, latency_ms_max=200)
    make_minute(ago(minutes=1), 30, latency_ms_sum=9000, latency_ms_max=700, egress="office")
    newest = engine_now(now=NOON).minutes[-1]
    assert (newest.requests, newest.average_ms, newest.max_ms) == (40, 250, 700)


def test_engine_now_has_no_time_for_faults_only():
    make_minute(ago(minutes=1), 3, faults=3)
    newest = engine_now(now=NOON).minutes[-1]
    assert (newest.requests, newest.average_ms, newest.max_ms) == (3, None, None)


def test_engine_now_has_workers_and_results():
    make_heartbeat(1, seen_at=ago(seconds=5), role="supervisor")
    make_heartbeat(2, seen_at=ago(minutes=10), jobs=200, errors=20, rss_bytes=64_000_000)
    supervisor, worker = engine_now(now=NOON).workers
    assert (supervisor.is_recently_seen, supervisor.heartbeat.error_percent, supervisor.age_seconds) == (
        True,
        None,
        7200,
    )
    assert (worker.is_recently_seen, worker.heartbeat.error_percent, worker.heartbeat.megabytes) == (
        False,
        10,
        64,
    )
