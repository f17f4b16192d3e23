"""Requests to recompute values: at most one for each user, processed through the queue.

The table of requests is the source of truth; a queue row carries a request's id and may be lost or duplicated without
harm.
"""

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django_q.tasks import async_task

from collections_app.models import CollectionInstance, DiscogsConnection
from pricing.daily import stored
from pricing.models import SyncRun, ValueRequest
from pricing.precision import weights
from pricing.sync.queue import OrderedBroker
from pricing.value.found import store_found

logger = logging.getLogger(__name__)

TASK = "pricing.tasks.work_value_request"
# Pages compute today's value themselves, so the stored values of other owners are not urgent: all runs that end within
# this time cost one computation.
OTHERS_WAIT = timedelta(minutes=10)
MAX_QUEUED = 8  # so that other queue rows wait for at most this many
MAX_FED = 20  # in one step of the supervisor's loop
LOST_AFTER = timedelta(minutes=5)  # since it was queued; longer than any task runs
MAX_ATTEMPTS = 3
CHUNK = 500  # users in one statement


def request_after(run: SyncRun, *, now: datetime) -> None:
    """Request the values that a finished run changes: its user's at once, those of the other owners later."""
    if run.user_id:
        request_value(run.user_id, now=now)
    ValueRequest.objects.bulk_create([ValueRequest(run=run, due_at=now)], ignore_conflicts=True)


def request_value(user_id: int, *, now: datetime) -> None:
    """Request a user's value at once, after a change that they made themselves."""
    _store([ValueRequest(user_id=user_id, due_at=now, is_urgent=True)], "due_at", "is_urgent")


def request_settling(*, after: int, limit: int, now: datetime) -> int | None:
    """Request yesterday's value for up to `limit` connected users with ids above `after`, in the order of their ids.

    Returns the last id, or None after the last user.
    """
    users = DiscogsConnection.objects.filter(user_id__gt=after).order_by("user_id")
    ids = list(users.values_list("user_id", flat=True)[:limit])
    rows = [ValueRequest(user_id=user_id, due_at=now, settles_yesterday=True) for user_id in ids]
    _store(rows, "settles_yesterday")
    return ids[-1] if len(ids) == limit else None


def _store(rows: Sequence[ValueRequest], *changed: str) -> None:
    """Insert requests; existing ones get a new version and the named fields."""
    if rows:
        ValueRequest.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["user"], update_fields=["version", *changed]
        )


def feed(*, now: datetime) -> int:
    """Queue due requests; returns how many. The cost does not grow with the number of users."""
    lost = Q(queued_at__lt=now - LOST_AFTER)
    due = ValueRequest.objects.filter(Q(queued_at__isnull=True) | lost, due_at__lte=now)
    rows = list(due.order_by("-is_urgent", "due_at")[:MAX_FED])
    if not rows:
        return 0
    free = MAX_QUEUED - ValueRequest.objects.filter(queued_at__gte=now - LOST_AFTER).count()
    chosen = [row for place, row in enumerate(rows) if row.is_urgent or place < free]
    return sum(_enqueue(row, now=now) for row in chosen)


def _enqueue(row: ValueRequest, *, now: datetime) -> bool:
    broker = OrderedBroker() if row.is_urgent else OrderedBroker(ahead=timedelta(0))
    with transaction.atomic():
        # Another host's supervisor may have queued it first.
        free = ValueRequest.objects.filter(pk=row.pk, queued_at=row.queued_at)
        if not free.update(queued_at=now):
            return False
        async_task(TASK, row.pk, save=False, broker=broker)
    return True


def work(request_id: int, *, now: datetime) -> None:
    """Process a request and delete it. It stays if it was renewed meanwhile, or if processing fails."""
    request = ValueRequest.objects.select_related("run").filter(pk=request_id).first()
    if request is None:
        return
    rows = ValueRequest.objects.filter(pk=request_id)
    this_version = rows.filter(version=request.version)
    if request.attempts >= MAX_ATTEMPTS:
        logger.error(
            "%s: given up after %s attempts; the next sync requests it again", request, request.attempts
        )
        this_version.delete()
        return
    rows.update(attempts=F("attempts") + 1)
    _compute(request, now=now)
    if not this_version.delete()[0]:
        rows.update(queued_at=None, attempts=0)


def _compute(request: ValueRequest, *, now: datetime) -> None:
    if request.run:
        if request.run.user_id:
            store_found(request.run, now=now)
        if request.run.user_id and request.run.trigger != SyncRun.Trigger.SCHEDULE:
            weights.renew_of(request.run.user_id)  # after scheduled runs the nightly pass does
        _request_owners(request.run, now=now)
    elif request.user_id:
        _compute_values(request.user_id, request, now=now)


def _compute_values(user_id: int, request: ValueRequest, *, now: datetime) -> None:
    """Compute today's value, and before it those of days that are not final or were stored without some copies."""
    first = request.rebuild_from or stored.first_wrong_day(user_id)
    if request.settles_yesterday:
        stored.settle_value(user_id, now=now)
    elif first is None:
        stored.store_value(user_id, now=now)
    following = stored.rebuild_step(user_id, first=first, now=now) if first else None
    if following:
        # With another version the request stays, for the next step.
        this_version = ValueRequest.objects.filter(pk=request.pk, version=request.version)
        this_version.update(rebuild_from=following, settles_yesterday=False, version=uuid.uuid4())


def _request_owners(run: SyncRun, *, now: datetime) -> None:
    """Request the values of all other users who hold a release that the run has fetched."""
    fetched = run.items.filter(reused=False).values("release_id")
    held = CollectionInstance.objects.held().filter(release_id__in=fetched)
    owners = held.order_by().values_list("connection__user_id", flat=True).distinct()
    # In the same order everywhere, so that two of these cannot deadlock.
    ids = sorted(set(owners) - {run.user_id})
    for start in range(0, len(ids), CHUNK):
        _store(
            [ValueRequest(user_id=owner, due_at=now + OTHERS_WAIT) for owner in ids[start : start + CHUNK]]
        )
