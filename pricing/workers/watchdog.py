"""Find clusters that make no progress although there is work. A process that looks healthy may run nothing for ever.

Times stored in rows are not trusted here: a queue row's lock may be back-dated, and a clock may be set. The watchdog
uses only what has changed between two checks, and when that was by this process's monotonic clock.
"""

import socket
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django_q.conf import Conf
from django_q.models import OrmQ

from collections_app import schema
from collections_app.discogs import gate
from pricing.models import PriceJob, WorkerHeartbeat
from pricing.workers.cluster import Cluster

# Added to the task timeout: no task runs longer, so a cluster that ended none in that time is running none.
STALL_MARGIN_SECONDS = 5.0
SUSPECT_STALL_SECONDS = 8.0  # for a cluster that has lost a child
# A cluster still ends the tasks it held when its child died, so one task afterwards does not prove it healthy.
SUSPECT_FOR_SECONDS = 45.0
START_SECONDS = 15.0  # a cluster may take to start
MAX_BETWEEN_CHECKS = (
    10.0  # seconds; after a longer pause, such as a database outage, the waiting time starts again
)


class Report(NamedTuple):
    """The last report of a worker process; it changes whenever the process begins or ends a task."""

    seen_at: datetime | None
    claim: UUID | None


Progress = dict[int, Report]  # by the pid of a worker process of this host


@dataclass
class Watchdog:
    """Keeps, between checks, since when rows have been ready and when each process last made progress."""

    steady: Callable[[], float] = time.monotonic
    _checked_at: float = 0.0
    _ready_since: float | None = None
    _reports: Progress = field(default_factory=dict)
    _progress_at: dict[int, float] = field(default_factory=dict)

    def stuck(self, clusters: Collection[Cluster], *, now: datetime) -> list[Cluster]:
        """The clusters that have begun or ended no task for too long while rows were ready in the queue."""
        clock = self.steady()
        family = {cluster.pid: cluster.look_at_children() for cluster in clusters}
        self._note_progress(clock)
        self._note_waiting(clock, now)
        if self._ready_since is None:
            return []
        waited = clock - self._ready_since
        return [
            cluster
            for cluster in clusters
            if not cluster.stopping and self._is_stuck(cluster, family[cluster.pid], waited, clock)
        ]

    def _note_progress(self, clock: float) -> None:
        reports = _progress_of_this_host()
        changed = {pid: clock for pid, report in reports.items() if self._reports.get(pid) != report}
        kept = {pid: at for pid, at in self._progress_at.items() if pid in reports}
        self._reports, self._progress_at = reports, {**kept, **changed}

    def _note_waiting(self, clock: float, now: datetime) -> None:
        paused = clock - self._checked_at > MAX_BETWEEN_CHECKS
        self._checked_at = clock
        if schema.mismatch() or gate.status().reason or not _has_ready_rows(now):
            self._ready_since = None
        elif self._ready_since is None or paused:
            self._ready_since = clock

    def _is_stuck(self, cluster: Cluster, children: frozenset[int], waited: float, clock: float) -> bool:
        age = clock - cluster.started
        if age < START_SECONDS:
            return False
        progress_at = max((self._progress_at.get(pid, cluster.started) for pid in children), default=0.0)
        idle = min(waited, clock - progress_at)
        if cluster.suspect_since is not None:
            since = clock - cluster.suspect_since
            if since > SUSPECT_FOR_SECONDS and progress_at > cluster.suspect_since:
                cluster.suspect_since = None
            elif min(idle, since) > SUSPECT_STALL_SECONDS and not self._fetches(children):
                return True
        return min(idle, age) > settings.PRICE_TASK_TIMEOUT + STALL_MARGIN_SECONDS

    def _fetches(self, children: frozenset[int]) -> bool:
        """Whether a child holds a price job: its request may take longer than SUSPECT_STALL_SECONDS."""
        return any(self._reports[pid].claim is not None for pid in children if pid in self._reports)


def _has_ready_rows(now: datetime) -> bool:
    ready = Q(lock__isnull=True) | Q(lock__lt=now)
    return OrmQ.objects.filter(ready, key=Conf.CLUSTER_NAME).exists()


def _progress_of_this_host() -> Progress:
    host = socket.gethostname()
    heartbeats = WorkerHeartbeat.objects.filter(host=host, role="worker").values_list("pid", "seen_at")
    running = PriceJob.objects.filter(state=PriceJob.State.RUNNING, worker__startswith=f"{host}:")
    claims = {
        int(worker.rpartition(":")[2]): lease
        for worker, lease in running.values_list("worker", "lease_owner")
    }
    seen = dict(heartbeats)
    return {pid: Report(seen.get(pid), claims.get(pid)) for pid in seen.keys() | claims.keys()}
