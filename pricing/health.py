"""What processes tell of themselves, and what can be told from it."""

import os
import socket
import time
from datetime import datetime, timedelta

import psutil

from pricing.models import WorkerHeartbeat

# A process that has not been heard of for this long is taken for dead.
SILENT_AFTER = timedelta(seconds=15)
FORGOTTEN_AFTER = timedelta(hours=1)


class Heart:
    """The heartbeat of this process, written at most once a second. Make it after the fork."""

    def __init__(self, role: str, *, now: datetime) -> None:
        self._role = role
        self._started_at = now
        self._jobs = self._errors = 0
        self._busy_seconds = 0.0
        self._beaten_at = 0.0

    def count_job(self, *, failed: bool, seconds: float) -> None:
        self._jobs += 1
        self._errors += failed
        self._busy_seconds += seconds

    def beat(self, *, now: datetime) -> None:
        if time.monotonic() - self._beaten_at < 1:
            return
        self._beaten_at = time.monotonic()
        WorkerHeartbeat.objects.update_or_create(
            host=socket.gethostname(),
            pid=os.getpid(),
            defaults={
                "role": self._role,
                "started_at": self._started_at,
                "seen_at": now,
                "jobs": self._jobs,
                "errors": self._errors,
                "rss_bytes": psutil.Process().memory_info().rss,
                "average_ms": 1000 * self._busy_seconds / self._jobs if self._jobs else 0,
            },
        )

    def stop(self) -> None:
        """Say goodbye, so that nobody waits for this process."""
        WorkerHeartbeat.objects.filter(host=socket.gethostname(), pid=os.getpid()).delete()


def workers_are_running(*, now: datetime) -> bool:
    """Whether a supervisor has been heard of lately, on any host."""
    return WorkerHeartbeat.objects.filter(role="supervisor", seen_at__gt=now - SILENT_AFTER).exists()


def forget_silent(*, now: datetime) -> None:
    WorkerHeartbeat.objects.filter(seen_at__lt=now - FORGOTTEN_AFTER).delete()
