"""Optional price sources: suggestions by grade, statistics in a chosen currency, listing search.

Each has its own freshness window and goes through the gate like every other request. They are requested only while no
sync is active, and a failure leaves prices, jobs and connections as they are.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.tasks import async_task

from collections_app.connections.credentials import CredentialUnreadable, credentials_of
from collections_app.discogs import errors, gate
from collections_app.discogs.client import Credentials, DiscogsClient, SellerSettingsMissing
from collections_app.discogs.market_payloads import Suggestion
from collections_app.discogs.payloads import MarketStatus
from collections_app.models import Capability, CollectionInstance, DiscogsConnection, ImportPass, Release
from collections_app.times import is_recent
from pricing.models import MarketStat, PriceSuggestion, SyncRun
from pricing.sync.queue import OrderedBroker

logger = logging.getLogger(__name__)

ClientFor = Callable[[Credentials], DiscogsClient]

SUGGESTIONS_TASK = "pricing.optional_tasks.refresh_suggestions"
STAT_TASK = "pricing.optional_tasks.refresh_stat"
SEARCH_TASK = "pricing.optional_tasks.probe_listing_search"

SUGGESTIONS_FRESH_FOR = timedelta(days=7)
STAT_FRESH_FOR = timedelta(hours=24)
SEARCH_KNOWN_FOR = timedelta(hours=24)
SETTINGS_AGAIN_AFTER = timedelta(days=30)
FAILED_AGAIN_AFTER = timedelta(days=1)
KNOWN_TO_EXIST_FOR = timedelta(days=7)

# Names of capabilities; an id follows the first two.
PER_RELEASE, PER_CONNECTION, LISTING_SEARCH = (
    "suggestions of release ",
    "suggestions for connection ",
    "search",
)

# With neither error Discogs has given an answer: the release is still due, and the gate knows how long to wait.
POSTPONED = errors.GateClosed, errors.RateLimited


def feed(*, now: datetime) -> int:
    """Queue optional requests for one minute if there is no other work; returns how many."""
    if is_busy() or OrmQ.objects.filter(key=Conf.CLUSTER_NAME).exists() or gate.status().reason:
        return 0
    probe = _search_unknown(now)
    if probe:
        async_task(SEARCH_TASK, save=False, broker=background_broker())
    releases = due_suggestions(_idle_budget(), now)
    for release in releases:
        async_task(SUGGESTIONS_TASK, release, save=False, broker=background_broker())
    return len(releases) + probe


def is_busy() -> bool:
    """Whether prices or a collection are being fetched; a paused run does not count."""
    runs = SyncRun.objects.filter(state__in=(SyncRun.State.IMPORTING, SyncRun.State.RUNNING))
    return runs.exists() or ImportPass.objects.running().exists()


def _idle_budget() -> int:
    """How many requests to queue for a minute, with room for interactive requests."""
    return max(1, min(50, int(settings.DISCOGS_RATE_LIMIT * 60 / settings.DISCOGS_RATE_WINDOW / 3)))


# Suggestions ----------------------------------------------------------------------------------------


def due_suggestions(limit: int, now: datetime) -> list[int]:
    """Up to `limit` releases whose suggestions are due, never requested ones first, then the oldest: one query."""
    newest = PriceSuggestion.objects.filter(release=OuterRef("pk")).order_by("-observed_at")
    due = _suggestions_due(now).annotate(asked_at=Subquery(newest.values("observed_at")[:1]))
    first = F("asked_at").asc(nulls_first=True), F("price__amount_minor").desc(nulls_last=True), "pk"
    return list(due.order_by(*first).values_list("pk", flat=True)[:limit])


def refresh_suggestions(release_id: int, *, client_for: ClientFor, now: datetime) -> bool:
    """Fetch and store a release's suggestions if they are still due and no sync has started. At most two requests.

    Returns whether Discogs answered.
    """
    if is_busy() or not _suggestions_due(now).filter(pk=release_id).exists():
        return False
    connections = _connections_to_ask(now).filter(Exists(held(release=release_id, connection=OuterRef("pk"))))
    # Connections known to have seller settings come first.
    ordered = connections.order_by(F("has_seller_settings").desc(nulls_last=True), "pk")
    for connection, credentials in usable(ordered):
        try:
            found = _suggestions(release_id, connection, client_for(credentials))
        except errors.DiscogsError as error:
            _record_failure(error, release_id, connection, now=now)
            return False
        _store_suggestions(release_id, found, now=now)
        DiscogsConnection.objects.filter(pk=connection.pk).update(has_seller_settings=True)
        return True
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
    if isinstance(error, SellerSettingsMissing):
        DiscogsConnection.objects.filter(pk=connection.pk).update(has_seller_settings=False)
    logger.info("no suggestions for release %s: %s", release_id, error.kind)
    if isinstance(error, SellerSettingsMissing | errors.CredentialsRejected | errors.AccessDenied):
        record_attempt(f"{PER_CONNECTION}{connection.pk}", False, now=now)
    else:
        record_attempt(f"{PER_RELEASE}{release_id}", True, now=now)


def _store_suggestions(release_id: int, found: Sequence[Suggestion], *, now: datetime) -> None:
    """Replace a release's suggestions. Those in another owner's currency stay, unless Discogs has none at all."""
    currencies = {suggestion.currency for suggestion in found}
    known = PriceSuggestion.objects.filter(release=release_id)
    with transaction.atomic():
        if not found:
            known.delete()
            record_attempt(f"{PER_RELEASE}{release_id}", False, now=now)
            return
        known.filter(currency__in=currencies).exclude(grade__in=[entry.grade for entry in found]).delete()
        PriceSuggestion.objects.bulk_create(
            [
                PriceSuggestion(
                    release_id=release_id,
                    grade=entry.grade,
                    currency=entry.currency,
                    amount_minor=entry.amount_minor,
                    observed_at=now,
                )
                for entry in found
            ],
            update_conflicts=True,
            unique_fields=["release", "grade", "currency"],
            update_fields=["amount_minor", "observed_at"],
        )


def _suggestions_due(now: datetime) -> "QuerySet[Release]":
    """Held releases that surely exist on Discogs, have no fresh suggestions and have an owner who may request them."""
    asked = Capability.objects.filter(name=Concat(Value(PER_RELEASE), Cast(OuterRef("pk"), CharField())))
    none_recently = asked.filter(
        is_recent("checked_at", now=now, within=SUGGESTIONS_FRESH_FOR), is_available=False
    )
    failed_recently = asked.filter(is_recent("checked_at", now=now, within=FAILED_AGAIN_AFTER))
    fresh = PriceSuggestion.objects.filter(
        is_recent("observed_at", now=now, within=SUGGESTIONS_FRESH_FOR), release=OuterRef("pk")
    )
    owned = held(release=OuterRef("pk"), connection__in=_connections_to_ask(now))
    return Release.objects.filter(
        Exists(owned),
        price__status__in=(MarketStatus.PRICED, MarketStatus.NONE_FOR_SALE),
        price__observed_at__gt=now - KNOWN_TO_EXIST_FOR,
    ).exclude(Exists(fresh) | Exists(none_recently) | Exists(failed_recently))


def _connections_to_ask(now: datetime) -> "QuerySet[DiscogsConnection]":
    """The active connections, without those known to have no seller settings or refused within the last day."""
    refused = Capability.objects.filter(name=Concat(Value(PER_CONNECTION), Cast(OuterRef("pk"), CharField())))
    recent = refused.filter(is_recent("checked_at", now=now, within=FAILED_AGAIN_AFTER))
    long_ago = refused.filter(checked_at__lte=now - SETTINGS_AGAIN_AFTER)
    may_ask = Q(has_seller_settings=True) | Q(has_seller_settings__isnull=True)
    active = DiscogsConnection.objects.filter(state=DiscogsConnection.State.ACTIVE)
    return active.filter(may_ask & ~Q(Exists(recent)) | Q(has_seller_settings=False) & Q(Exists(long_ago)))


# Statistics in a chosen currency --------------------------------------------------------------------


def background_broker() -> OrderedBroker:
    """A broker that enqueues behind every price task in the queue."""
    return OrderedBroker(ahead=timedelta(0))


def enqueue_market_stat(release_id: int, currency: str) -> None:
    """Queue a request for the lowest price in this currency."""
    async_task(STAT_TASK, release_id, currency, save=False, broker=background_broker())


def refresh_market_stat(release_id: int, currency: str, *, client_for: ClientFor, now: datetime) -> bool:
    """Fetch and store the lowest price of a release in one currency, unless there is a reading of the last day.

    Returns whether there is a fresh one now.
    """
    recent = is_recent("observed_at", now=now, within=STAT_FRESH_FOR)
    fresh = MarketStat.objects.filter(recent, release=release_id, currency=currency)
    if fresh.exists():
        return True
    owners = DiscogsConnection.objects.filter(
        Exists(held(release=release_id, connection=OuterRef("pk"))), state=DiscogsConnection.State.ACTIVE
    )
    credentials = next((found for _, found in usable(owners.order_by("pk"))), None)
    if credentials is None:
        return False
    try:
        found = client_for(credentials).market_stats(release_id, currency)
    except errors.DiscogsError as error:
        logger.info("no statistics for release %s: %s", release_id, error.kind)
        return False
    MarketStat.objects.update_or_create(
        release_id=release_id,
        currency=currency,
        defaults={
            "amount_minor": found.amount_minor,
            "num_for_sale": found.num_for_sale,
            "observed_at": now,
        },
    )
    return True


# Listing search -------------------------------------------------------------------------------------


def probe_listing_search(*, client_for: ClientFor, now: datetime) -> bool:
    """Whether listings can be searched. Requested at most once a day, and never if DISCOGS_LISTING_SEARCH is off."""
    if not settings.DISCOGS_LISTING_SEARCH:
        return False
    known = _search_known(now).first()
    if known:
        return known.is_available
    copy = held(connection__state=DiscogsConnection.State.ACTIVE).select_related("connection").first()
    access = next(usable([copy.connection]), None) if copy else None
    if copy is None or access is None:
        return False
    try:
        is_available = client_for(access[1]).listing_search(copy.release_id)
    except POSTPONED:
        return False
    except errors.DiscogsError:
        is_available = False
    record_attempt(LISTING_SEARCH, is_available, now=now)
    return is_available


def _search_known(now: datetime) -> "QuerySet[Capability]":
    return Capability.objects.filter(
        is_recent("checked_at", now=now, within=SEARCH_KNOWN_FOR), name=LISTING_SEARCH
    )


def _search_unknown(now: datetime) -> bool:
    return settings.DISCOGS_LISTING_SEARCH and not _search_known(now).exists()


# Shared ---------------------------------------------------------------------------------------------


def held(**which: object) -> "QuerySet[CollectionInstance]":
    return CollectionInstance.objects.held().filter(**which)


def usable(
    connections: "QuerySet[DiscogsConnection] | Sequence[DiscogsConnection]",
) -> Iterator[tuple[DiscogsConnection, Credentials]]:
    """Connections with readable credentials. For the others, the next price job informs their owner."""
    for connection in connections:
        try:
            yield connection, credentials_of(connection)
        except CredentialUnreadable:
            continue


def record_attempt(name: str, is_available: bool, *, now: datetime) -> None:
    Capability.objects.update_or_create(name=name, defaults={"is_available": is_available, "checked_at": now})
