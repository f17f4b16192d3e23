"""Every transition of a run: start, plan, pause, resume, retry and end. Nothing else changes the state of a run."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery

from collections_app.connections.credentials import is_usable
from collections_app.importing.steps import ConnectionErased, start_import
from collections_app.models import CollectionInstance, DiscogsConnection, ImportPass
from collections_app.tasks import enqueue_import
from pricing.models import PriceJob, RunItem, SyncRun
from pricing.sync import planner
from pricing.sync.value_requests import request_after
from pricing.value.band import Narrowing

MAX_RUNS = 20  # in one step, of each kind: the next step takes the rest
NOTHING_STARTED = {
    DiscogsConnection.State.RECONNECT_NEEDED: "Discogs no longer accepts the connection, so nothing was started. "
    "Reconnect, then sync.",
    DiscogsConnection.State.UNREADABLE: "The key of the connection is missing on this site, so nothing was started. "
    "Reconnect, or sync again once the operator has restored the key.",
}
PLANNED_WITHIN = timedelta(minutes=10)  # by the command that started a run over chosen releases


class NotConnected(Exception):
    """The user has no Discogs connection, so there is nothing to sync."""


class ReconnectNeeded(NotConnected):
    """No request can succeed until the user reconnects or, for an unreadable credential, the key is back."""

    def __init__(self, connection: DiscogsConnection) -> None:
        super().__init__(NOTHING_STARTED[DiscogsConnection.State(connection.state)])


# Start ----------------------------------------------------------------------------------------------


def start_sync(
    user: AbstractBaseUser | Any,
    *,
    trigger: SyncRun.Trigger,
    now: datetime,
    stale_after: timedelta | None = None,
    import_first: bool = True,
) -> SyncRun:
    """Start a run that updates a user's prices, or return the run that is already active.

    stale_after: prices younger than this are reused (default PRICE_FRESH_FOR; zero fetches all); for a scheduled
    run, the user's interval.
    import_first: import the collection first; if False, it is imported only if that was never completed.
    Raises NotConnected, or ReconnectNeeded; nothing is started then.
    """
    connection = _usable_connection_of(user.pk)
    if connection is None:
        raise NotConnected("Connect Discogs first; then prices can be fetched.")
    complete = ImportPass.objects.filter(connection=connection, state=ImportPass.State.COMPLETE)
    read = None if import_first else complete.order_by("-pk").first()
    try:
        with transaction.atomic():
            import_pass = read or start_import(connection, now=now)
            run = _create_run(trigger, stale_after, now=now, user_id=user.pk, import_pass=import_pass)
            if not read:
                enqueue_import(import_pass.pk, now=now)
    except IntegrityError:
        return _newest_run_of(user.pk)
    except ConnectionErased as erased:
        raise NotConnected(str(erased)) from None
    # If this process ends during planning, a supervisor continues: the collection has been imported.
    return _plan_at_once(run, _held_by(user.pk), now=now) if read else run


def _usable_connection_of(user_id: int) -> DiscogsConnection | None:
    """Raises ReconnectNeeded."""
    connection = DiscogsConnection.objects.filter(user_id=user_id).first()
    if connection and not is_usable(connection):
        raise ReconnectNeeded(connection)
    return connection


def _newest_run_of(user_id: int) -> SyncRun:
    """The run of an earlier click, active or just finished. Raises NotConnected if the connection was erased since."""
    newest = SyncRun.objects.of(user_id).order_by("-created_at").first()
    if newest is None:
        raise NotConnected("The connection was erased meanwhile; nothing was started.")
    return newest


def start_release_sync(
    release_ids: Sequence[int], *, now: datetime, stale_after: timedelta | None = None
) -> SyncRun:
    """Start a run over chosen releases, for no particular user. All of them must be in the database."""
    run = _create_run(SyncRun.Trigger.COMMAND, stale_after, now=now)
    return _plan_at_once(run, sorted(set(release_ids)), now=now)


def start_narrowing(user_id: int, plan: Narrowing, *, now: datetime) -> SyncRun:
    """Start a run over the releases that narrow a user's band, or return the run that is already active.

    It is planned in the transaction that creates it: without an import it must not be seen before.
    """
    halves = {
        "half_before_minor": round(plan.before_minor),
        "predicted_half_minor": round(plan.after_minor),
    }
    try:
        with transaction.atomic():
            run = _create_run(SyncRun.Trigger.CLICK, timedelta(0), now=now, user_id=user_id, **halves)
            return _plan_at_once(run, plan.release_ids, now=now)
    except IntegrityError:
        return _newest_run_of(user_id)


def check_release(release_id: int, *, now: datetime) -> bool:
    """Fetch one release before everything else. Returns False if it was checked within the last minute."""
    if planner.was_just_checked(release_id, now=now):
        return False
    with transaction.atomic():
        run = _create_run(SyncRun.Trigger.CLICK, timedelta(0), now=now)
        _plan_at_once(run, [release_id], now=now)
        planner.move_to_front(run)
    return True


def _create_run(
    trigger: SyncRun.Trigger, stale_after: timedelta | None, *, now: datetime, **fields: Any
) -> SyncRun:
    seconds = settings.PRICE_FRESH_FOR if stale_after is None else stale_after.total_seconds()
    return SyncRun.objects.create(
        state=SyncRun.State.IMPORTING,
        trigger=trigger,
        stale_after_seconds=int(seconds),
        created_at=now,
        **fields,
    )


# Plan -----------------------------------------------------------------------------------------------


def plan_run(run: SyncRun, release_ids: Sequence[int], *, now: datetime) -> Iterator[None]:
    """Plan a run step by step; then start fetching, unless the run has ended meanwhile."""
    yield from planner.plan_steps(run, release_ids, now=now)
    importing = SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.IMPORTING)
    importing.update(state=SyncRun.State.RUNNING)


def _plan_at_once(run: SyncRun, release_ids: Sequence[int], *, now: datetime) -> SyncRun:
    """Plan a run completely and start fetching. A run without anything to fetch is finished."""
    for _ in plan_run(run, release_ids, now=now):
        pass
    if _without_work().filter(pk=run.pk).exists():
        end_run(run, SyncRun.State.FINISHED, now=now)
    run.refresh_from_db()
    return run


def _held_by(user_id: int) -> list[int]:
    return sorted(set(CollectionInstance.objects.of(user_id).held().release_ids()))


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
                self._steps[run.pk] = plan_run(run, _held_by(run.user_id), now=now)
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


# Pause, resume, retry -------------------------------------------------------------------------------


def pause_run(run: SyncRun) -> None:
    """Stop queueing the run's jobs; running jobs finish."""
    SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.RUNNING).update(state=SyncRun.State.PAUSED)


def resume_run(run: SyncRun) -> None:
    SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.PAUSED).update(state=SyncRun.State.RUNNING)


def retry_failed(run: SyncRun, *, now: datetime) -> int:
    """Create new jobs for the failed releases of a run and resume it; returns how many. Never while it is planned.

    Raises ReconnectNeeded.
    """
    _usable_connection_of(run.user_id or 0)
    runs = SyncRun.objects.filter(pk=run.pk).exclude(state=SyncRun.State.IMPORTING)
    with transaction.atomic():
        if not runs.exists() or SyncRun.objects.of(run.user_id or 0).active().exclude(pk=run.pk).exists():
            return 0
        count = planner.replace_failed_jobs(run, now=now)
        if count:
            runs.update(state=SyncRun.State.RUNNING, finished_at=None, error="")
    return count


# End ------------------------------------------------------------------------------------------------


def end_run(run: SyncRun, state: SyncRun.State, *, now: datetime, error: str = "") -> bool:
    """End a run unless it has ended already; returns whether this call ended it.

    A finished run requests the values that it has changed. Of a cancelled or failed one, the jobs that no other
    active run needs are cancelled, except running ones. A paused run is not finished before it is resumed.
    """
    is_finished = state == SyncRun.State.FINISHED
    runs = SyncRun.objects.working() if is_finished else SyncRun.objects.active()
    with transaction.atomic():
        if not runs.filter(pk=run.pk).update(state=state, finished_at=now, error=error):
            return False
        if is_finished:
            request_after(run, now=now)
        else:
            planner.cancel_unneeded_jobs(run, now=now)
    return True


def cancel_run(run: SyncRun, *, now: datetime) -> None:
    end_run(run, SyncRun.State.CANCELLED, now=now)


def fail_runs_of(user_id: int, *, error: str, now: datetime) -> None:
    """End a user's active run as failed, with the reason. Jobs that other runs need continue."""
    for run in SyncRun.objects.of(user_id).active():
        end_run(run, SyncRun.State.FAILED, now=now, error=error)


def finish_runs(*, now: datetime) -> None:
    """Finish the runs without a live job."""
    for run in _without_work().order_by("pk")[:MAX_RUNS]:
        end_run(run, SyncRun.State.FINISHED, now=now)


def _without_work() -> "QuerySet[SyncRun]":
    """The running runs without a live job.

    The last job of a run is checked first: it is live almost until the end, so the others need not be read.
    """
    live = RunItem.objects.filter(run=OuterRef("pk"), job__state__in=PriceJob.LIVE).order_by("-job_id")
    running = SyncRun.objects.filter(state=SyncRun.State.RUNNING)
    return running.annotate(live=Subquery(live.values("pk")[:1])).filter(live__isnull=True)
