"""Queue due jobs from the job table, and choose which goes next.

The job table is the source of truth; a queue row carries a job's id and may be lost or duplicated without harm.
"""

import heapq
import time
from collections import Counter, deque
from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import BigIntegerField, Case, Count, F, Q, QuerySet, Value, When
from django_q.tasks import async_task

from collections_app import schema
from collections_app.discogs import gate
from collections_app.times import is_over, is_recent
from pricing.models import PriceJob, RunItem, SyncRun
from pricing.precision.order import by_turn
from pricing.sync.queue import OrderedBroker

TASK = "pricing.tasks.refresh_price"
MAX_AHEAD = 300  # jobs
AHEAD_FOR = 5.0  # seconds


# All scheduled runs take their turns as one: the most urgent release of any of them goes first.
SCHEDULED = 0  # in the place of a run's id


class Ahead:
    """A cache of each run's next due jobs, read a few hundred at a time: the larger the run, the costlier the query.

    It may be out of date: jobs that changed since are rejected when they are queued, and jobs that came due since are
    found within AHEAD_FOR.
    """

    def __init__(self) -> None:
        self._jobs: dict[int, deque[tuple[int, int]]] = {}
        self._read_at: dict[int, float] = {}

    def begin(self, runs: Collection[int]) -> None:
        """Start a turn over these runs. A run is read once in a turn, as jobs taken from it stay due until the end."""
        clock = time.monotonic()
        for run, jobs in list(self._jobs.items()):
            if run not in runs or not jobs or clock - self._read_at[run] > AHEAD_FOR:
                del self._jobs[run]

    def of(self, run: int, *, now: datetime) -> deque[tuple[int, int]]:
        """A run's next jobs in order, as (job id, lane). Jobs removed from the deque are not returned again."""
        if run not in self._jobs:
            due = _scheduled(now) if run == SCHEDULED else _due(now).filter(items__run=run)
            order = by_turn(now, price="release__price__") if run == SCHEDULED else ["items__pk"]
            self._jobs[run] = deque(due.order_by("lane", *order).values_list("pk", "lane")[:MAX_AHEAD])
            self._read_at[run] = time.monotonic()
        return self._jobs[run]


def feed(*, now: datetime, ahead: Ahead | None = None) -> int:
    """Queue due jobs until PRICE_QUEUE_SIZE are ready; returns how many were queued.

    Nothing is queued while the gate is paused or the breaker is open: the jobs would only be put off again. Nothing is
    queued either while the database schema is of another version.
    """
    if (
        schema.mismatch() or not _due(now).exists()
    ):  # one query, ten times a second, while nothing is to be done
        return 0
    ready = PriceJob.objects.working().count()
    free = settings.PRICE_QUEUE_SIZE - ready
    if free <= 0 or gate.status().reason:
        return 0
    return _enqueue(_fair_choice(free, now=now, ahead=ahead or Ahead()), now=now)


def _due(now: datetime) -> "QuerySet[PriceJob]":
    again = Q(state=PriceJob.State.WAITING) & is_over("not_before", now=now, longest=gate.longest_wait())
    return PriceJob.objects.filter(Q(state=PriceJob.State.DUE) | again)


def _scheduled(now: datetime) -> "QuerySet[PriceJob]":
    items = RunItem.objects.filter(run__in=_running().filter(trigger=SyncRun.Trigger.SCHEDULE))
    return _due(now).filter(pk__in=items.values("job"))


def _running() -> "QuerySet[SyncRun]":
    return SyncRun.objects.filter(state=SyncRun.State.RUNNING)


def _fair_choice(free: int, *, now: datetime, ahead: Ahead) -> dict[int, bool]:
    """Choose up to `free` jobs from the running runs, interactive ones first: {job id: goes to the front}.

    The run with the fewest recent jobs has the next turn, and its jobs go before those of other runs in the queue.
    The scheduled runs together count as one.
    """
    scheduled = Q(trigger=SyncRun.Trigger.SCHEDULE)
    runs = list(_running().exclude(scheduled).order_by("pk").values_list("pk", flat=True))
    if _running().filter(scheduled).exists():
        runs.append(SCHEDULED)
    had = _recent_counts(runs, now=now) if len(runs) > 1 else Counter()
    most = max(had.values(), default=0)
    ahead.begin(runs)
    turns = [(had[run], run == SCHEDULED, run) for run in runs]
    heapq.heapify(turns)
    chosen: dict[int, bool] = {}
    while turns and len(chosen) < free:
        count, is_scheduled, run = heapq.heappop(turns)
        if waiting := ahead.of(run, now=now):
            job_id, lane = waiting.popleft()
            chosen[job_id] = lane == PriceJob.Lane.INTERACTIVE or count < most
            heapq.heappush(turns, (count + 1, is_scheduled, run))
    return chosen


def _recent_counts(runs: list[int], *, now: datetime) -> Counter[int]:
    """Count the jobs of each run that are queued, running, or ended within the last rate-limit window."""
    recent = is_recent("job__finished_at", now=now, within=timedelta(seconds=settings.DISCOGS_RATE_WINDOW))
    is_scheduled = When(run__trigger=SyncRun.Trigger.SCHEDULE, then=Value(SCHEDULED))
    turn = Case(is_scheduled, default=F("run"), output_field=BigIntegerField())
    had: Counter[int] = Counter()
    # Two queries, each with its own index; one combined query would read every job ever stored.
    for jobs in (Q(job__state__in=PriceJob.WORKING), recent):
        items = RunItem.objects.filter(jobs, run__in=_running()).annotate(turn=turn)
        counts = items.order_by().values_list("turn").annotate(n=Count("job", distinct=True))
        had.update(dict(counts))
    return Counter({run: had[run] for run in runs})


def _enqueue(jobs: dict[int, bool], *, now: datetime) -> int:
    front, back = OrderedBroker(), OrderedBroker(ahead=timedelta(0))
    with transaction.atomic():
        # Another host's feeder may have chosen the same jobs.
        still_due = _due(now).filter(pk__in=jobs).select_for_update(skip_locked=True)
        mine = set(still_due.values_list("pk", flat=True))
        PriceJob.objects.filter(pk__in=mine).update(state=PriceJob.State.QUEUED, queued_at=now)
        for job_id, goes_first in jobs.items():
            if job_id in mine:
                async_task(TASK, job_id, save=False, broker=front if goes_first else back)
    return len(mine)
