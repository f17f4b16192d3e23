"""Heartbeats: what each process reports, and when its row is deleted."""

import os
import socket
import time
from collections import deque
from datetime import datetime, timedelta

import psutil
from django.db.models import Q

from collections_app.times import MAX_SKEW
from pricing.models import WorkerHeartbeat
from pricing.monitoring.metrics import SILENT_AFTER, percentile

DELETED_AFTER = timedelta(hours=1)
REMEMBERED_JOBS = 200  # the last jobs, over which durations are averaged
# The fields that a heartbeat overwrites.
REPORTED = [
    "role",
    "started_at",
    "seen_at",
    "jobs",
    "errors",
    "rss_bytes",
    "average_ms",
    "p50_ms",
    "p95_ms",
    "cpu_percent",
]


class Heartbeat:
    """The heartbeat of this process, written at most once a second. Create it after the fork."""

    def __init__(self, role: str, *, now: datetime) -> None:
        self._role = role
        self._started_at = now
        self._jobs = self._errors = 0
        self._durations_ms: deque[float] = deque(maxlen=REMEMBERED_JOBS)
        self._reported_at = 0.0
        self._process = psutil.Process()
        self._process.cpu_percent()  # the first call only starts the measurement

    def count_job(self, *, failed: bool, seconds: float) -> None:
        self._jobs += 1
        self._errors += failed
        self._durations_ms.append(1000 * seconds)

    def report(self, *, now: datetime) -> None:
        """Write the heartbeat in one statement; does nothing within a second of the last report."""
        if time.monotonic() - self._reported_at < 1:
            return
        self._reported_at = time.monotonic()
        # An upsert: a process that died left a row, which the next process with its pid overwrites.
        WorkerHeartbeat.objects.bulk_create(
            [self._figures(now)],
            update_conflicts=True,
            unique_fields=["host", "pid"],
            update_fields=REPORTED,
        )

    def stop(self) -> None:
        """Delete this process's heartbeat so that it does not look alive."""
        WorkerHeartbeat.objects.filter(host=socket.gethostname(), pid=os.getpid()).delete()

    def _figures(self, now: datetime) -> WorkerHeartbeat:
        durations = sorted(self._durations_ms)
        return WorkerHeartbeat(
            host=socket.gethostname(),
            pid=os.getpid(),
            role=self._role,
            started_at=self._started_at,
            seen_at=now,
            jobs=self._jobs,
            errors=self._errors,
            rss_bytes=self._process.memory_info().rss,
            cpu_percent=self._process.cpu_percent(),
            average_ms=sum(durations) / len(durations) if durations else 0,
            p50_ms=percentile(durations, 50),
            p95_ms=percentile(durations, 95),
        )


def delete_silent(*, now: datetime) -> None:
    """Delete heartbeats that are an hour old, and those of processes of this host that no longer exist.

    An idle worker is silent too, but its process exists.
    """
    ahead = Q(seen_at__gt=now + MAX_SKEW)
    WorkerHeartbeat.objects.filter(ahead | Q(seen_at__lt=now - DELETED_AFTER)).delete()
    silent = WorkerHeartbeat.objects.filter(seen_at__lt=now - SILENT_AFTER)
    gone = [
        heartbeat.pk
        for heartbeat in silent.filter(host=socket.gethostname())
        if not psutil.pid_exists(heartbeat.pid)
    ]
    silent.filter(pk__in=gone).delete()
