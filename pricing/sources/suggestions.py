"""Discogs' price suggestions, fresh for a week and kept as one number. Requested only while no sync is active."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import (
    Case,
    DateTimeField,
    Exists,
    F,
    FloatField,
    OrderBy,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django_q.tasks import async_task

from collections_app.discogs import errors
from collections_app.discogs.client import DiscogsClient, SellerSettingsMissing
from collections_app.discogs.market_payloads import Suggestion
from collections_app.discogs.payloads import MarketStatus
from collections_app.models import DiscogsConnection
from collections_app.times import MAX_SKEW, is_recent
from pricing.models import ReleasePrice, SourceAttempt
from pricing.precision.order import AgeInDays
from pricing.sources import near_mint
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

SUGGESTIONS_TASK = "pricing.optional_tasks.refresh_suggestions"
SOURCE, Outcome = SourceAttempt.Source.SUGGESTIONS, SourceAttempt.Outcome

FRESH_FOR = timedelta(days=7)
SETTINGS_AGAIN_AFTER = timedelta(days=30)
FAILED_AGAIN_AFTER = timedelta(days=1)
KNOWN_TO_EXIST_FOR = timedelta(days=7)


def enqueue_due(limit: int, *, now: datetime) -> int:
    """Queue a request for each of up to `limit` releases whose suggestions are due; returns how many."""
    releases = due_suggestions(limit, now)
    for release in releases:
        async_task(SUGGESTIONS_TASK, release, save=False, broker=background_broker())
    return len(releases)


def due_suggestions(limit: int, now: datetime) -> list[int]:
    """Up to `limit` releases whose suggestions are due, in order: two queries, one if no connection may ask."""
    # As numbers, so that PostgreSQL knows how many releases they hold: with 500,000 it matters where it begins.
    connections = list(_connections_to_ask(now).values_list("pk", flat=True))
    if not connections:
        return []
    due = _suggestions_due(connections, now=now).order_by(*_by_turn(now), "pk")
    return list(due.values_list("pk", flat=True)[:limit])


def refresh_suggestions(release_id: int, *, client_for: ClientFor, now: datetime) -> bool:
    """Fetch and store a release's suggestion if it is still due and no sync has started. At most two requests.

    Returns whether there was something to store.
    """
    connections = _connections_to_ask(now)
    if is_busy() or not _suggestions_due(connections, now=now).filter(pk=release_id).exists():
        return False
    connections = connections.filter(Exists(held(release=release_id, connection=OuterRef("pk"))))
    # Connections known to have seller settings come first.
    ordered = connections.order_by(F("has_seller_settings").desc(nulls_last=True), "pk")
    for connection, credentials in usable(ordered):
        try:
            found = _suggestions(release_id, connection, client_for(credentials))
        except errors.DiscogsError as error:
            _record_failure(error, release_id, connection, now=now)
            return False
        DiscogsConnection.objects.filter(pk=connection.pk).update(has_seller_settings=True)
        return _store(release_id, found, now=now)
    return False


def _suggestions(
    release_id: int, connection: DiscogsConnection, client: DiscogsClient
) -> Sequence[Suggestion]:
    try:
        return client.price_suggestions(release_id)
    except SellerSettingsMissing:
        if connection.has_seller_settings:
            # The settings existed before, so perhaps the release is gone; if so, this raises NotFound.
            client.release_market(release_id)
        raise


def _record_failure(
    error: errors.DiscogsError, release_id: int, connection: DiscogsConnection, *, now: datetime
) -> None:
    """Record a failure so that the same request is not sent again at once."""
    if isinstance(error, POSTPONED):
        return
    logger.info("no suggestions for release %s: %s", release_id, error.kind)
    if isinstance(error, SellerSettingsMissing | errors.CredentialsRejected | errors.AccessDenied):
        _record_refusal(error, connection.pk, now=now)
    else:
        record_attempt(SOURCE, Outcome.FAILED, now=now, release_id=release_id)


def _record_refusal(error: errors.DiscogsError, connection_id: int, *, now: datetime) -> None:
    """Record that a connection may not ask, unless its owner has disconnected during the request."""
    rows = DiscogsConnection.objects.filter(pk=connection_id)
    with transaction.atomic():
        # The lock lets a disconnect wait until the attempt is stored, so that it is deleted too.
        if rows.select_for_update(no_key=True).first() is None:
            return
        if isinstance(error, SellerSettingsMissing):
            rows.update(has_seller_settings=False)
        record_attempt(SOURCE, Outcome.REFUSED, now=now, connection_id=connection_id)


def _store(release_id: int, found: Sequence[Suggestion], *, now: datetime) -> bool:
    """Store what the suggestions say, also that there are none. Unusable ones are an attempt that failed."""
    said = near_mint.near_mint_of(found)
    amount_minor = near_mint.in_usd(*said, now=now) if said else None
    if found and amount_minor is None:
        logger.info("no usable suggestions for release %s", release_id)
        record_attempt(SOURCE, Outcome.FAILED, now=now, release_id=release_id)
        return False
    near_mint.store(release_id, amount_minor, now=now)
    return True


def _suggestions_due(
    connections: "QuerySet[DiscogsConnection] | list[int]", *, now: datetime
) -> "QuerySet[ReleasePrice]":
    """Releases that these connections hold, that surely exist on Discogs and that have no fresh suggestion."""
    tried = SourceAttempt.objects.filter(source=SOURCE, release=OuterRef("pk"))
    tried_recently = tried.filter(is_recent("tried_at", now=now, within=FAILED_AGAIN_AFTER))
    owned = held(release=OuterRef("pk"), connection__in=connections)
    return ReleasePrice.objects.filter(
        Exists(owned),
        ~Exists(tried_recently),
        status__in=(MarketStatus.PRICED, MarketStatus.NONE_FOR_SALE),
        observed_at__gt=now - KNOWN_TO_EXIST_FOR,
    ).exclude(is_recent("near_mint_at", now=now, within=FRESH_FOR))


def _by_turn(now: datetime) -> list[OrderBy]:
    """Never requested ones first, the most expensive first; then by the index of the refresh order.

    The index is that of a price, with the age of the suggestion: docs/refresh.md.
    """
    is_known = {"near_mint_at__lte": now + MAX_SKEW}
    age = AgeInDays(Value(now, DateTimeField()), F("near_mint_at"))
    rank = Case(When(**is_known, then=age * F("urgency")), default=F("last_minor"), output_field=FloatField())
    return [
        OrderBy(Case(When(**is_known, then=Value(1)), default=Value(0))),
        OrderBy(rank, descending=True, nulls_last=True),
    ]


def _connections_to_ask(now: datetime) -> "QuerySet[DiscogsConnection]":
    """The active connections, without those known to have no seller settings or refused within the last day."""
    refused = SourceAttempt.objects.filter(source=SOURCE, connection=OuterRef("pk"))
    recent = refused.filter(is_recent("tried_at", now=now, within=FAILED_AGAIN_AFTER))
    long_ago = refused.filter(tried_at__lte=now - SETTINGS_AGAIN_AFTER)
    may_ask = Q(has_seller_settings=True) | Q(has_seller_settings__isnull=True)
    return active_connections().filter(
        may_ask & ~Q(Exists(recent)) | Q(has_seller_settings=False) & Q(Exists(long_ago))
    )
