"""Heartbeats: what a process reports, how often, and when its row is deleted."""

import os
import socket
import subprocess
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pricing.models import WorkerHeartbeat
from pricing.monitoring import heartbeat

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch):
    """A steady clock that is moved by the test only."""

    class Clock:
        at = 1000.0

        def monotonic(self):
            return self.at

    clock = Clock()
    monkeypatch.setattr(heartbeat, "time", clock)
    return clock


@pytest.fixture
def now():
    return timezone.now()


def beat(heart, clock, now):
    clock.at += 2
    heart.report(now=now)
    return WorkerHeartbeat.objects.get()


def test_heartbeat_has_role_host_and_start(clock, now):
    row = beat(heartbeat.Heartbeat("worker", now=now - timedelta(hours=1)), clock, now)
    assert (row.host, row.pid, row.role) == (socket.gethostname(), os.getpid(), "worker")
    assert (row.started_at, row.seen_at) == (now - timedelta(hours=1), now)
    assert row.rss_bytes > 1_000_000
    assert row.cpu_percent >= 0


def test_heartbeat_has_the_results_of_jobs(clock, now):
    heart = heartbeat.Heartbeat("worker", now=now)
    for hundredth in range(1, 101):
        heart.count_job(failed=hundredth > 90, seconds=hundredth / 100)
    row = beat(heart, clock, now)
    assert (row.jobs, row.errors) == (100, 10)
    assert (row.average_ms, row.p50_ms, row.p95_ms) == pytest.approx((505, 500, 950))


def test_heartbeat_averages_the_last_jobs(clock, now):
    heart = heartbeat.Heartbeat("worker", now=now)
    for seconds in [9.0] * 300 + [1.0] * heartbeat.REMEMBERED_JOBS:
        heart.count_job(failed=False, seconds=seconds)
    row = beat(heart, clock, now)
    assert (row.jobs, row.average_ms, row.p95_ms) == (500, 1000, 1000)


def test_heartbeat_averages_are_0_without_jobs(clock, now):
    row = beat(heartbeat.Heartbeat("supervisor", now=now), clock, now)
    assert (row.average_ms, row.p50_ms, row.p95_ms) == (0, 0, 0)


def test_report_within_a_second_is_skipped(clock, now):
    heart = heartbeat.Heartbeat("worker", now=now)
    beat(heart, clock, now)
    clock.at += 0.5
    heart.report(now=now + timedelta(seconds=0.5))
    assert WorkerHeartbeat.objects.get().seen_at == now


@pytest.mark.parametrize("beats", [1, 3])
def test_report_is_one_statement(clock, now, beats):
    heart = heartbeat.Heartbeat("worker", now=now)
    for _ in range(beats - 1):
        beat(heart, clock, now)
    clock.at += 2
    with CaptureQueriesContext(connection) as queries:
        heart.report(now=now)
    statements = [q["sql"] for q in queries if "WorkerHeartbeat".lower() in q["sql"].lower()]
    assert len(statements) == 1
    assert WorkerHeartbeat.objects.count() == 1


def test_report_takes_over_the_row_of_its_pid(clock, now):
    WorkerHeartbeat.objects.create(
        host=socket.gethostname(), pid=os.getpid(), role="worker", started_at=now, seen_at=now, jobs=77
    )
    row = beat(heartbeat.Heartbeat("supervisor", now=now), clock, now)
    assert (row.role, row.jobs) == ("supervisor", 0)


def test_stop_deletes_its_own_row_only(clock, now):
    heart = heartbeat.Heartbeat("worker", now=now)
    beat(heart, clock, now)
    WorkerHeartbeat.objects.create(host="elsewhere", pid=os.getpid(), started_at=now, seen_at=now)
    heart.stop()
    assert WorkerHeartbeat.objects.get().host == "elsewhere"


def test_delete_silent_after_an_hour(now):
    for pid, minutes in ((1, 59), (2, 61)):
        seen_at = now - timedelta(minutes=minutes)
        WorkerHeartbeat.objects.create(host="h", pid=pid, started_at=seen_at, seen_at=seen_at)
    heartbeat.delete_silent(now=now)
    assert [row.pid for row in WorkerHeartbeat.objects.all()] == [1]


@pytest.mark.parametrize(
    ("host", "gone", "seconds", "deleted"),
    [
        (socket.gethostname(), True, 20, True),
        (socket.gethostname(), True, 5, False),
        (socket.gethostname(), False, 20, False),
        ("elsewhere", True, 20, False),
    ],
)
def test_delete_silent_dead_process_of_host(now, host, gone, seconds, deleted):
    ended = subprocess.Popen(["true"])
    ended.wait()
    seen_at = now - timedelta(seconds=seconds)
    WorkerHeartbeat.objects.create(
        host=host, pid=ended.pid if gone else os.getpid(), started_at=seen_at, seen_at=seen_at
    )
    heartbeat.delete_silent(now=now)
    assert WorkerHeartbeat.objects.exists() is not deleted
