"""Discogs' own range of a collection: minimum, median and maximum, once a day for each active connection.

It is for display beside the value of this site and never part of a total. A failure leaves the last range and the
connection as they are, and is tried again on the next UTC day at the earliest.
"""

import logging
from datetime import UTC, datetime, time

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django_q.tasks import async_task

from collections_app.discogs import errors
from collections_app.discogs.market_payloads import CollectionRange
from collections_app.models import DiscogsConnection
from collections_app.times import is_recent
from pricing.models import DiscogsRange, SourceAttempt
from pricing.sources.access import (
    POSTPONED,
    ClientFor,
    active_connections,
    background_broker,
    held,
    is_busy,
    record_attempt,
    usable,
)

logger = logging.getLogger(__name__)

RANGE_TASK = "pricing.optional_tasks.refresh_range"
SOURCE, Outcome = SourceAttempt.Source.RANGE, SourceAttempt.Outcome


def enqueue_due(limit: int, *, now: datetime) -> int:
    """Queue a request for each of up to `limit` connections without a range of this UTC day; returns how many."""
    connections = list(_due(now).order_by("pk").values_list("pk", flat=True)[:limit])
    for connection in connections:
        async_task(RANGE_TASK, connection, save=False, broker=background_broker())
    return len(connections)


def refresh_range(connection_id: int, *, client_for: ClientFor, now: datetime) -> bool:
    """Fetch and store the range of a collection if it is still due and no sync has started. One request.

    Returns whether there is a range of this day now.
    """
    access = None if is_busy() else next(usable(_due(now).filter(pk=connection_id)), None)
    if access is None:
        return False
    connection, credentials = access
    try:
        found = client_for(credentials).collection_range(connection.discogs_username)
    except POSTPONED:
        return False
    except errors.DiscogsError as error:
        logger.info("no range for connection %s: %s", connection_id, error.kind)
        _record_failure(error, connection_id, now=now)
        return False
    return _store(found, connection_id, now=now)


def _due(now: datetime) -> "QuerySet[DiscogsConnection]":
    """The active connections with copies that have no range of this UTC day and were not tried on it."""
    today = now.astimezone(UTC).date()
    known = DiscogsRange.objects.filter(connection=OuterRef("pk"), day=today)
    since_midnight = now - datetime.combine(today, time.min, UTC)
    tried = SourceAttempt.objects.filter(
        is_recent("tried_at", now=now, within=since_midnight), source=SOURCE, connection=OuterRef("pk")
    )
    owns = held(connection=OuterRef("pk"))
    return active_connections().filter(Exists(owns), ~Exists(known), ~Exists(tried))


def _record_failure(error: errors.DiscogsError, connection_id: int, *, now: datetime) -> None:
    refusals = errors.CredentialsRejected, errors.AccessDenied, errors.NotFound
    outcome = Outcome.REFUSED if isinstance(error, refusals) else Outcome.FAILED
    with transaction.atomic():
        if _lock_connection(connection_id):
            record_attempt(SOURCE, outcome, now=now, connection_id=connection_id)


def _store(found: CollectionRange, connection_id: int, *, now: datetime) -> bool:
    figures = {
        "currency": found.currency,
        "minimum_minor": found.minimum_minor,
        "median_minor": found.median_minor,
        "maximum_minor": found.maximum_minor,
    }
    day = now.astimezone(UTC).date()
    with transaction.atomic():
        if not _lock_connection(connection_id):
            return False
        DiscogsRange.objects.update_or_create(connection_id=connection_id, day=day, defaults=figures)
    return True


def _lock_connection(connection_id: int) -> bool:
    """Lock the connection, so that a disconnect waits until the row is stored and deletes it too; False if gone."""
    rows = DiscogsConnection.objects.select_for_update(no_key=True).filter(pk=connection_id)
    return rows.values("pk").first() is not None
