"""From our job table to the queue and back: which due job goes next, and what was lost on the way.

The job table is the truth; a queue row carries a job's id and may be lost or doubled without harm.
"""

import logging
import socket
from collections import deque
from datetime import datetime, timedelta

import psutil
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.tasks import async_task

from collections_app.discogs import gate
from pricing.models import PriceJob, SyncRun

logger = logging.getLogger(__name__)

TASK = "pricing.tasks.refresh_price"
SETTLE = timedelta(seconds=5)  # before a queued job without a row counts as lost
RETRY = timedelta(seconds=Conf.RETRY)  # a row's lock is set this far ahead when it is handed out
HELD_TOO_LONG = timedelta(seconds=40)  # a worker has a delivered row under way by then, or is dead


def feed(*, now: datetime) -> int:
    """Put due jobs into the queue until PRICE_QUEUE_SIZE are ready; returns how many.

    Nothing is fed while the gate is paused or the breaker open: the rows would only come back.
    """
    ready = PriceJob.objects.filter(state__in=(PriceJob.State.QUEUED, PriceJob.State.RUNNING)).count()
    free = settings.PRICE_QUEUE_SIZE - ready
    if free <= 0 or not _due(now).exists() or gate.status().reason:
        return 0
    return _enqueue(_fair_choice(free, now=now), now=now)


def _due(now: datetime) -> "QuerySet[PriceJob]":
    again = Q(state=PriceJob.State.WAITING, not_before__lte=now)
    return PriceJob.objects.filter(Q(state=PriceJob.State.DUE) | again)


def _fair_choice(free: int, *, now: datetime) -> list[int]:
    """Up to `free` job ids, in turns from every active run, those someone waits for first."""
    runs = SyncRun.objects.filter(state=SyncRun.State.RUNNING).order_by("pk").values_list("pk", flat=True)
    due = _due(now).order_by("lane", "pk").values_list("pk", flat=True)
    turns = deque(deque(due.filter(items__run=run)[:free]) for run in runs)
    chosen: dict[int, None] = {}
    while turns and len(chosen) < free:
        waiting = turns.popleft()
        if waiting:
            chosen[waiting.popleft()] = None
            turns.append(waiting)
    return list(chosen)


def _enqueue(job_ids: list[int], *, now: datetime) -> int:
    with transaction.atomic():
        # Another host's feeder may have chosen the same ones.
        still_due = _due(now).filter(pk__in=job_ids).select_for_update(skip_locked=True)
        mine = set(still_due.values_list("pk", flat=True))
        PriceJob.objects.filter(pk__in=mine).update(state=PriceJob.State.QUEUED, queued_at=now)
        for job_id in job_ids:
            if job_id in mine:
                async_task(TASK, job_id, save=False)
    return len(mine)


def reconcile(*, now: datetime) -> int:
    """Take back jobs whose worker died or whose queue row was lost; returns how many."""
    return _abandoned(now) + _lost(now)


def _abandoned(now: datetime) -> int:
    running = PriceJob.objects.filter(state=PriceJob.State.RUNNING)
    dead = [
        job.pk
        for job in running.only("lease_until", "worker")
        if _lease_lapsed(job, now) or _worker_died(job)
    ]
    worn_out = running.filter(pk__in=dead, attempts__gte=settings.PRICE_RETRY_ATTEMPTS)
    failed = worn_out.update(
        state=PriceJob.State.DEAD,
        finished_at=now,
        error_kind="worker",
        error="The worker that fetched this release died each time it was tried.",
    )
    taken_back = running.filter(pk__in=dead).update(state=PriceJob.State.DUE, lease_until=None)
    if dead:
        logger.warning("%s jobs taken back from dead workers, %s given up", taken_back, failed)
    return taken_back + failed


def _lease_lapsed(job: PriceJob, now: datetime) -> bool:
    return job.lease_until is None or job.lease_until < now


def _worker_died(job: PriceJob) -> bool:
    """Only a process of this host can be looked for; elsewhere the lease has to lapse."""
    host, _, pid = job.worker.rpartition(":")
    return host == socket.gethostname() and pid.isdigit() and not psutil.pid_exists(int(pid))


def _lost(now: datetime) -> int:
    """Queued jobs without a queue row, or whose row was handed to a worker that never began."""
    queued = PriceJob.objects.filter(state=PriceJob.State.QUEUED, queued_at__lt=now - SETTLE)
    ids = set(queued.values_list("pk", flat=True))
    if not ids:
        return 0
    alive = {
        _job_of(row)
        for row in OrmQ.objects.filter(key=Conf.CLUSTER_NAME)
        if row.lock is None or row.lock <= now or row.lock - RETRY > now - HELD_TOO_LONG
    }
    return queued.filter(pk__in=ids - alive).update(state=PriceJob.State.DUE)


def _job_of(row: OrmQ) -> int | None:
    """The job id in a queue row; None for other tasks and for rows signed with another key."""
    task = row.task
    return task["args"][0] if task.get("func") == TASK else None
