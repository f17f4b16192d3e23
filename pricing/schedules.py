"""What begins by itself: each user's sync when it is due, and the daily work.

Everything follows from rows: a tick that is missed, doubled or called by several hosts at once does no harm.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.core.cache import cache
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django_q.tasks import async_task

from collections_app.credentials import restore_readable
from collections_app.models import DiscogsConnection, Preferences
from collections_app.times import MAX_SKEW
from pricing import optional, planner, purge, rates
from pricing.due import run_due_at
from pricing.models import SyncRun

SETTLE_TASK = "pricing.tasks.settle_value"
# After a long downtime everybody is due: so many begin with each tick, the longest overdue first.
MOST_STARTS = 20
PURGED_AT_ONCE = 1_000  # rows: the feeder must not wait for long
MINUTE, DAY = 60, 86_400  # seconds


class NextRun(NamedTuple):
    due_at: datetime
    connection_id: int
    every: timedelta


def tick(now: datetime) -> None:
    """Start what is due. To be called about once a minute, on every host."""
    restore_readable()
    start_due_runs(now=now)
    _once_a_day("values", _store_values, now=now)
    _once_a_day("purge", _purge, now=now)
    rates.feed(now=now)
    optional.feed(now=now)


def start_due_runs(*, now: datetime) -> int:
    """Start a run, import first, for the users whose interval is over; returns for how many."""
    due = sorted(run for run in _next_runs(now=now) if run.due_at <= now)
    return sum(_start(run.connection_id, now=now) for run in due[:MOST_STARTS])


def _once_a_day(name: str, step: Callable[[datetime], bool], *, now: datetime) -> None:
    """Take a step of daily work with each tick, on one host, until it says that the day's work is done.

    Only a shortcut: both works find nothing to do a second time, should the cache forget.
    """
    done = f"done:{name}:{now.astimezone(UTC):%Y-%m-%d}"
    mine = f"tick:{name}:{now.astimezone(UTC):%Y-%m-%dT%H:%M}"
    if not cache.get(done) and cache.add(mine, True, MINUTE) and step(now):
        cache.set(done, True, 2 * DAY)


def _store_values(now: datetime) -> bool:
    """By the workers, a user for each task: the feeder must not wait for it."""
    for user_id in DiscogsConnection.objects.values_list("user_id", flat=True):
        async_task(SETTLE_TASK, user_id, save=False)
    return True


def _purge(now: datetime) -> bool:
    return not purge.purge_some(now=now, most=PURGED_AT_ONCE)


def _start(connection_id: int, *, now: datetime) -> bool:
    with transaction.atomic():
        # Of two hosts one waits at no time: the other one has the row, and starts the run.
        mine = DiscogsConnection.objects.select_for_update(of=("self",), skip_locked=True)
        connection = mine.select_related("user").filter(pk=connection_id).first()
        due = [run for run in _next_runs(Q(pk=connection_id), now=now) if run.due_at <= now]
        if connection is None or not due:
            return False
        planner.start_sync(
            connection.user, trigger=SyncRun.Trigger.SCHEDULE, now=now, stale_after=due[0].every
        )
    return True


def _next_runs(which: Q = Q(), *, now: datetime) -> list[NextRun]:  # noqa: B008 a Q is never changed
    """When the next run of each connected user is due, without those who have one under way: one query."""
    runs = SyncRun.objects.filter(user=OuterRef("user")).order_by("-created_at")
    # One that began by a wrong clock would otherwise put off the next until then.
    believable = runs.filter(created_at__lte=now + MAX_SKEW)
    # Who cancels a run does not want it back within a minute.
    over = believable.filter(state__in=(SyncRun.State.FINISHED, SyncRun.State.CANCELLED))
    failed = believable.filter(state=SyncRun.State.FAILED, finished_at__lte=now + MAX_SKEW)
    rows = (
        DiscogsConnection.objects.filter(which, state=DiscogsConnection.State.ACTIVE, user__is_active=True)
        .exclude(Exists(runs.filter(state__in=SyncRun.ACTIVE)))
        .annotate(
            hours=Coalesce(F("user__preferences__sync_every_hours"), Value(int(Preferences.SyncEvery.DAY)))
        )
        .exclude(hours=Preferences.SyncEvery.NEVER)
        .values_list(
            "pk",
            "hours",
            "connected_at",
            Subquery(over.values("created_at")[:1]),
            Subquery(failed.values("finished_at")[:1]),
        )
    )
    return [_next_run(*row, now=now) for row in rows]


def _next_run(
    connection_id: int,
    hours: int,
    connected_at: datetime,
    last_started_at: datetime | None,
    last_failed_at: datetime | None,
    *,
    now: datetime,
) -> NextRun:
    every = timedelta(hours=hours)
    due_at = run_due_at(
        every=every,
        connected_at=min(connected_at, now),
        last_started_at=last_started_at,
        last_failed_at=last_failed_at,
    )
    return NextRun(due_at, connection_id, every)
