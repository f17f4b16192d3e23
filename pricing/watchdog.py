"""Which clusters make no progress although there is work. Processes that look healthy may run nothing for ever."""

import socket
import time
from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django_q.conf import Conf
from django_q.models import OrmQ

from collections_app.discogs import gate
from pricing.cluster import Cluster
from pricing.models import PriceJob, WorkerHeartbeat

# No task runs longer than its timeout, so a cluster that ended none in this time holds none.
STALL_MARGIN_SECONDS = 5.0
SUSPECT_STALL_SECONDS = 8.0  # for one that has lost a child
START_SECONDS = 15.0  # a cluster may take to start
WORK_WAITS = timedelta(seconds=5)


def stuck_clusters(clusters: Collection[Cluster], *, now: datetime) -> list[Cluster]:
    """The clusters that have not touched a job for too long while jobs lie ready in the queue."""
    family = {cluster.pid: cluster.look_at_children() for cluster in clusters}
    if not clusters or not _work_waits(now) or gate.status().reason:
        return []
    seconds = settings.PRICE_TASK_TIMEOUT + STALL_MARGIN_SECONDS
    return [
        cluster
        for cluster in clusters
        if not cluster.stopping and _is_stuck(cluster, family[cluster.pid], stall=seconds, now=now)
    ]


def _is_stuck(cluster: Cluster, children: frozenset[int], *, stall: float, now: datetime) -> bool:
    clock = time.monotonic()
    if clock - cluster.started < START_SECONDS:
        return False
    if cluster.suspect_since is not None:
        since = clock - cluster.suspect_since
        if _active_pids(now - timedelta(seconds=since)) & children:
            cluster.suspect_since = None
        elif since > SUSPECT_STALL_SECONDS:
            return True
    if clock - cluster.started < stall:
        return False
    return not _active_pids(now - timedelta(seconds=stall)) & children


def _work_waits(now: datetime) -> bool:
    """Whether a row lies ready that a free worker would have taken by now."""
    ready = OrmQ.objects.filter(Q(lock__isnull=True) | Q(lock__lt=now - WORK_WAITS), key=Conf.CLUSTER_NAME)
    return ready.exists()


def _active_pids(since: datetime) -> set[int]:
    """The worker processes of this host that ended a job since, or have one under way."""
    host = socket.gethostname()
    beaten = WorkerHeartbeat.objects.filter(host=host, role="worker", seen_at__gt=since)
    running = PriceJob.objects.filter(state=PriceJob.State.RUNNING, worker__startswith=f"{host}:")
    workers = running.values_list("worker", flat=True)
    return {*beaten.values_list("pid", flat=True), *(int(name.rpartition(":")[2]) for name in workers)}
