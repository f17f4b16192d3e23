"""From our job table to the queue and back: which due job goes next, and what was lost on the way.

The job table is the truth; a queue row carries a job's id and may be lost or doubled without harm.
"""

import logging
from collections import deque
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django_q.tasks import async_task

from collections_app.discogs import gate
from pricing.models import PriceJob, SyncRun

logger = logging.getLogger(__name__)

TASK = "pricing.tasks.refresh_price"


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
    # In the order of the run's items, which is the planner's order of urgency.
    due = _due(now).order_by("lane", "items__pk").values_list("pk", flat=True)
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
