"""Advance runs: plan those whose collection has been imported, end those without work left."""

import time
from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from math import inf

from django.db.models import OuterRef, Q, QuerySet, Subquery

from collections_app.models import CollectionInstance, ImportPass
from pricing.models import PriceJob, RunItem, SyncRun
from pricing.sync.planner import end_run, plan_steps

MAX_RUNS = 20  # in one step, of each kind: the next step takes the rest
PLANNED_WITHIN = timedelta(minutes=10)  # by the command that started a run over chosen releases


def advance_runs(*, now: datetime) -> None:
    """Advance all runs as far as possible without waiting."""
    Plans().work(now=now, seconds=inf)
    end_runs(now=now)


class Plans:
    """The runs that this process plans, one step of each in turn, so that a large run does not delay the others."""

    def __init__(self) -> None:
        self._steps: dict[int, Iterator[None]] = {}

    @property
    def is_busy(self) -> bool:
        """Whether a run is only partly planned."""
        return bool(self._steps)

    def work(self, *, now: datetime, seconds: float) -> None:
        """Plan for this many seconds, and at least one step."""
        deadline = time.monotonic() + seconds
        self._begin(now)
        turns = deque(self._steps)
        while turns:
            run_id = turns.popleft()
            if self._step(run_id):
                turns.append(run_id)
            if time.monotonic() >= deadline:
                return

    def _begin(self, now: datetime) -> None:
        for run in _imported(now).exclude(pk__in=list(self._steps))[: MAX_RUNS - len(self._steps)]:
            if run.user_id and run.import_pass and run.import_pass.state == ImportPass.State.COMPLETE:
                held = CollectionInstance.objects.of(run.user_id).held()
                self._steps[run.pk] = plan_steps(run, list(held.release_ids()), now=now)
            else:
                end_run(run, SyncRun.State.FAILED, now=now, error=_reason(run))

    def _step(self, run_id: int) -> bool:
        """Take one step; returns whether there are more. A plan whose step fails is started again."""
        steps = self._steps.pop(run_id)
        if next(steps, self) is self:
            return False
        self._steps[run_id] = steps
        return True


def _imported(now: datetime) -> "QuerySet[SyncRun]":
    """Runs whose import has completed, failed or was removed."""
    runs = SyncRun.objects.filter(state=SyncRun.State.IMPORTING).select_related("import_pass")
    ended = Q(import_pass__state__in=(ImportPass.State.COMPLETE, ImportPass.State.FAILED))
    # A run over chosen releases has no import; its command plans it.
    removed = Q(import_pass__isnull=True) & (Q(user__isnull=False) | Q(created_at__lt=now - PLANNED_WITHIN))
    return runs.filter(ended | removed).order_by("pk")


def _reason(run: SyncRun) -> str:
    if run.import_pass:
        return run.import_pass.error
    return (
        "The import was removed. Start the sync again."
        if run.user_id
        else "The command that started this run was interrupted. Start it again."
    )


def end_runs(*, now: datetime) -> None:
    """End the runs without a live job.

    The last job of a run is checked first: it is live almost until the end, so the others need not be read.
    """
    live = RunItem.objects.filter(run=OuterRef("pk"), job__state__in=PriceJob.LIVE).order_by("-job_id")
    running = SyncRun.objects.filter(state=SyncRun.State.RUNNING)
    done = running.annotate(live=Subquery(live.values("pk")[:1])).filter(live__isnull=True).order_by("pk")
    for run in done[:MAX_RUNS]:
        end_run(run, SyncRun.State.FINISHED, now=now)
