"""Recover lost work: jobs of dead workers, jobs without a queue row, and rows that were never acknowledged.

The job table is the source of truth. A recovered job may still be delivered a second time; the claim ensures that it
has one effect.
"""

import logging
import socket
from datetime import datetime, timedelta

import psutil
from django.conf import settings
from django_q.conf import Conf
from django_q.models import OrmQ

from collections_app.discogs.errors import Kind
from collections_app.models import ImportPass
from collections_app.times import MAX_SKEW, is_over
from pricing.models import PriceJob
from pricing.sync.feeder import TASK
from pricing.sync.refresh import lease

logger = logging.getLogger(__name__)

SETTLE = timedelta(seconds=5)  # before a queued job without a row counts as lost
RETRY = timedelta(seconds=Conf.RETRY)  # a row's lock is set this far ahead when it is dequeued
HELD_TOO_LONG = timedelta(seconds=40)  # by then a worker has started the task of a dequeued row, or is dead
UNACKNOWLEDGED = timedelta(seconds=20)  # a healthy cluster deletes the row within a second of the job's end


def reconcile(*, now: datetime) -> int:
    """Recover jobs whose worker died or whose queue row was lost; returns how many."""
    _shorten_implausible_times(now)
    return _recover_abandoned(now) + _recover_lost(now)


def _shorten_implausible_times(now: datetime) -> None:
    """Correct locks and leases set by a wrong clock: rows become ready now, and a lease lasts as long as a new one.

    The holder of such a lease may well be alive, so the lease is shortened and not revoked.
    """
    OrmQ.objects.filter(key=Conf.CLUSTER_NAME, lock__gt=now + RETRY + MAX_SKEW).update(lock=now)
    running = PriceJob.objects.filter(state=PriceJob.State.RUNNING)
    running.filter(lease_until__gt=now + lease() + MAX_SKEW).update(lease_until=now + lease())


def end_waits(*, now: datetime) -> None:
    """End all waiting times now, because this machine's clock was set back. The gate still limits the rate.

    A row that a worker holds is then delivered twice, which the claim makes harmless.
    """
    OrmQ.objects.filter(key=Conf.CLUSTER_NAME, lock__gt=now).update(lock=now)
    PriceJob.objects.filter(state=PriceJob.State.WAITING, not_before__gt=now).update(not_before=now)
    PriceJob.objects.filter(state=PriceJob.State.QUEUED, queued_at__gt=now).update(queued_at=now)
    ImportPass.objects.running().filter(not_before__gt=now).update(not_before=now)
    ImportPass.objects.running().filter(queued_at__gt=now).update(queued_at=now)


def _recover_abandoned(now: datetime) -> int:
    running = PriceJob.objects.filter(state=PriceJob.State.RUNNING)
    dead = [
        job.pk
        for job in running.only("lease_until", "worker")
        if _lease_lapsed(job, now) or _worker_died(job)
    ]
    exhausted = running.filter(pk__in=dead, attempts__gte=settings.PRICE_RETRY_ATTEMPTS)
    failed = exhausted.update(
        state=PriceJob.State.DEAD,
        finished_at=now,
        error_kind=Kind.WORKER,
        error="The worker that fetched this release died at every attempt.",
    )
    recovered = running.filter(pk__in=dead).update(state=PriceJob.State.DUE, lease_until=None)
    if dead:
        logger.warning("%s jobs recovered from dead workers, %s given up", recovered, failed)
    return recovered + failed


def _lease_lapsed(job: PriceJob, now: datetime) -> bool:
    return job.lease_until is None or job.lease_until < now


def _worker_died(job: PriceJob) -> bool:
    """Whether the job's worker is known to be dead. On another host that is unknown until the lease lapses."""
    host, _, pid = job.worker.rpartition(":")
    return host == socket.gethostname() and pid.isdigit() and not psutil.pid_exists(int(pid))


def _recover_lost(now: datetime) -> int:
    """Make queued jobs due again if their row is missing, or was dequeued by a worker that never started them."""
    settled = is_over("queued_at", now=now - SETTLE, longest=SETTLE)
    queued = PriceJob.objects.filter(settled, state=PriceJob.State.QUEUED)
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


def recover_dequeued(*, now: datetime) -> int:
    """Recover every queued job whose row a worker holds, because some of those workers were just killed.

    A row that a live worker holds is then delivered twice, which the claim makes harmless.
    """
    held = OrmQ.objects.filter(key=Conf.CLUSTER_NAME, lock__gt=now)
    ids = {job for row in held if (job := _job_of(row)) is not None}
    held.delete()
    return PriceJob.objects.filter(pk__in=ids, state=PriceJob.State.QUEUED).update(state=PriceJob.State.DUE)


def drop_unacknowledged(*, now: datetime) -> set[str]:
    """Delete rows whose jobs ended a while ago; returns the workers (host:pid) whose clusters acknowledge nothing."""
    dequeued = OrmQ.objects.filter(key=Conf.CLUSTER_NAME, lock__gt=now, lock__lt=now + RETRY - UNACKNOWLEDGED)
    rows = {row.pk: job for row in dequeued if (job := _job_of(row)) is not None}
    ended = PriceJob.objects.filter(pk__in=rows.values(), finished_at__lt=now - UNACKNOWLEDGED)
    workers = dict(ended.values_list("pk", "worker"))
    OrmQ.objects.filter(pk__in=[row for row, job in rows.items() if job in workers]).delete()
    return {worker for worker in workers.values() if worker}
