"""Scheduled work: each user's sync when it is due, and the daily tasks.

Everything is derived from rows: a tick that is missed, repeated or made by several hosts at once does no harm.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.core.cache import cache
from django.db import transaction
from django.db.models import (
    Case,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    QuerySet,
    Subquery,
    When,
)
from django.db.models import Value as Constant
from django.db.models.functions import Coalesce, Greatest, Least

from collections_app.connections.credentials import restore_readable
from collections_app.models import DiscogsConnection, Preferences
from collections_app.times import MAX_SKEW
from pricing.daily import baselines, market
from pricing.models import SyncRun
from pricing.precision import weights
from pricing.retention import purge
from pricing.sources import exchange_rates
from pricing.sources.feeder import feed_if_idle
from pricing.sync import runs, value_requests
from pricing.sync.due import AGAIN_AFTER, run_due_at
from pricing.tasks import (
    BASELINES_QUEUED,
    MARKET_QUEUED,
    enqueue_baselines,
    enqueue_market,
    enqueue_weights,
)

# After a long downtime every user is due: each tick starts at most this many runs, the longest overdue first.
MAX_STARTS = 20
MAX_PURGED = 1_000  # rows in one tick: the feeder must not wait for long
MAX_SETTLED = 500  # users in one tick, for the same reason
MINUTE, DAY = 60, 86_400  # seconds


class NextRun(NamedTuple):
    due_at: datetime
    every: timedelta


def tick(now: datetime) -> None:
    """Start the work that is due. Call it about once a minute, on every host."""
    restore_readable()
    start_due_runs(now=now)
    _once_a_day("values", _settle_values, now=now)
    _once_a_day("purge", _purge, now=now)
    _once_a_day("passes", _pass_over_prices, now=now)
    exchange_rates.feed(now=now)
    feed_if_idle(now=now)


def start_due_runs(*, now: datetime) -> int:
    """Start a run, with its import, for each user whose interval is over; returns how many."""
    return sum(_start(connection_id, now=now) for connection_id in _overdue(now))


def _once_a_day(name: str, step: Callable[[datetime], bool], *, now: datetime) -> None:
    """Take one step of a daily task in each tick, on one host, until the step returns that the day's work is done.

    The cache only saves time: if it loses its entries, both daily tasks find nothing to do a second time.
    """
    done = f"done:{name}:{now.astimezone(UTC):%Y-%m-%d}"
    mine = f"tick:{name}:{now.astimezone(UTC):%Y-%m-%dT%H:%M}"
    if not cache.get(done) and cache.add(mine, True, MINUTE) and step(now):
        cache.set(done, True, 2 * DAY)


def _settle_values(now: datetime) -> bool:
    """Request yesterday's values, for some users in each tick; the workers compute them."""
    place = f"settled:{now.astimezone(UTC):%Y-%m-%d}"
    last = value_requests.request_settling(after=cache.get(place, 0), limit=MAX_SETTLED, now=now)
    if last is not None:
        cache.set(place, last, 2 * DAY)
    return last is None


def _pass_over_prices(now: datetime) -> bool:
    """Queue the passes over all weights, baselines and prices of past days until all are complete.

    A task that is at work queues its own continuation.
    """
    has_weights = weights.is_complete(now=now)
    if not has_weights and not weights.is_at_work(now=now):
        enqueue_weights()
    has_baselines = not baselines.behind(today=now.astimezone(UTC).date()).exists()
    if not has_baselines and not cache.get(BASELINES_QUEUED):
        enqueue_baselines()
    has_market = not market.missing_days(now=now)
    if not has_market and not cache.get(MARKET_QUEUED):
        enqueue_market()
    return has_weights and has_baselines and has_market and market.is_settled(now)


def _purge(now: datetime) -> bool:
    return not purge.purge_some(now=now, limit=MAX_PURGED)


def _start(connection_id: int, *, now: datetime) -> bool:
    with transaction.atomic():
        # Two hosts do not wait for each other: the one that locks the row starts the run.
        mine = DiscogsConnection.objects.select_for_update(of=("self",), skip_locked=True)
        connection = mine.select_related("user").filter(pk=connection_id).first()
        due = _next_run_of(connection_id, now=now)
        if connection is None or due is None or due.due_at > now:
            return False
        runs.start_sync(connection.user, trigger=SyncRun.Trigger.SCHEDULE, now=now, stale_after=due.every)
    return True


def _overdue(now: datetime) -> list[int]:
    """The connections whose next run is due, the longest overdue first: one query, a few rows.

    The SQL twin of `due.run_due_at`. The query visits every connection.
    """
    began_at = Case(
        When(over_at__isnull=True, then=Least(F("connected_at"), Constant(now)) + Constant(AGAIN_AFTER)),
        *(
            When(hours=hours, then=F("over_at") + Constant(timedelta(hours=hours)))
            for hours in Preferences.SyncEvery.values
        ),
        output_field=DateTimeField(),
    )
    failed = ExpressionWrapper(F("failed_at") + Constant(AGAIN_AFTER), output_field=DateTimeField())
    due_at = Greatest(F("began_at"), Coalesce(failed, F("began_at")))
    due = _with_runs(now).annotate(began_at=began_at).annotate(due_at=due_at).filter(due_at__lte=now)
    return list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:MAX_STARTS])


def _next_run_of(connection_id: int, *, now: datetime) -> NextRun | None:
    """When the next run of a connected user is due; None if one is active or none is scheduled."""
    return _due_of(_with_runs(now).filter(pk=connection_id), now=now)


def _due_of(connection: "QuerySet[Any]", *, now: datetime) -> NextRun | None:
    row = connection.values_list("hours", "connected_at", "over_at", "failed_at").first()
    if row is None:
        return None
    hours, connected_at, over_at, failed_at = row
    every = timedelta(hours=hours)
    due_at = run_due_at(
        every=every, connected_at=min(connected_at, now), last_started_at=over_at, last_failed_at=failed_at
    )
    return NextRun(due_at, every)


def next_sync_at(connection_id: int, *, now: datetime) -> datetime | None:
    """When a user's next scheduled run is due, as if an active one ended now; None if none is scheduled. One query."""
    due = _due_of(_scheduled(now).filter(pk=connection_id), now=now)
    return due.due_at if due else None


def _with_runs(now: datetime) -> "QuerySet[Any]":
    """The connections that get scheduled runs and have no active run; see `_scheduled`."""
    of_user = SyncRun.objects.filter(user=OuterRef("user"))
    return _scheduled(now).exclude(Exists(of_user.active()))


def _scheduled(now: datetime) -> "QuerySet[Any]":
    """The connections that get scheduled runs.

    Each has `hours`, its interval; `over_at`, the start of its last run that did not fail; `failed_at`, the end of its
    last failed run.
    """
    # A run that only narrows a band delays none that is scheduled.
    of_user = SyncRun.objects.filter(user=OuterRef("user")).whole().order_by("-created_at")
    # A run created in the future by a wrong clock would otherwise delay the next one until then.
    plausible = of_user.filter(created_at__lte=now + MAX_SKEW)
    # A cancelled run counts, because it must not start again within a minute.
    over = plausible.exclude(state=SyncRun.State.FAILED)
    failed = plausible.filter(state=SyncRun.State.FAILED, finished_at__lte=now + MAX_SKEW)
    hours = Coalesce(F("user__preferences__sync_every_hours"), Constant(int(Preferences.SyncEvery.DAY)))
    active = DiscogsConnection.objects.filter(state=DiscogsConnection.State.ACTIVE, user__is_active=True)
    return active.annotate(
        hours=hours,
        over_at=Subquery(over.values("created_at")[:1]),
        failed_at=Subquery(failed.values("finished_at")[:1]),
    ).exclude(hours=Preferences.SyncEvery.NEVER)
