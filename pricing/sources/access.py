"""What the optional price sources share: usable credentials, their place in the queue, the record of attempts.

Each source has its own freshness window and goes through the gate like every other request. A failure leaves prices,
jobs and connections as they are.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from collections_app.connections.credentials import CredentialUnreadable, credentials_of
from collections_app.discogs import errors
from collections_app.discogs.client import Credentials, DiscogsClient
from collections_app.models import CollectionInstance, DiscogsConnection, ImportPass
from pricing.models import SourceAttempt, SyncRun
from pricing.sync.queue import OrderedBroker

ClientFor = Callable[[Credentials], DiscogsClient]

# With neither error Discogs has given an answer, and the gate knows how long to wait.
POSTPONED = errors.GateClosed, errors.RateLimited


def is_busy() -> bool:
    """Whether prices or a collection are being fetched; a paused run does not count."""
    return SyncRun.objects.working().exists() or ImportPass.objects.running().exists()


def background_broker() -> OrderedBroker:
    """A broker that enqueues behind every price task in the queue."""
    return OrderedBroker(ahead=timedelta(0))


def held(**which: object) -> "QuerySet[CollectionInstance]":
    return CollectionInstance.objects.held().filter(**which)


def active_connections() -> "QuerySet[DiscogsConnection]":
    return DiscogsConnection.objects.filter(state=DiscogsConnection.State.ACTIVE)


def usable(
    connections: "QuerySet[DiscogsConnection] | Sequence[DiscogsConnection]",
) -> Iterator[tuple[DiscogsConnection, Credentials]]:
    """Connections with readable credentials. For the others, the next price job informs their owner."""
    for connection in connections:
        try:
            yield connection, credentials_of(connection)
        except CredentialUnreadable:
            continue


def credentials_of_owner(release_id: int) -> Credentials | None:
    """The credentials of a connected owner of the release; None if there are none that can be read."""
    owners = active_connections().filter(Exists(held(release=release_id, connection=OuterRef("pk"))))
    return next((found for _, found in usable(owners.order_by("pk"))), None)


def record_attempt(
    source: SourceAttempt.Source,
    outcome: SourceAttempt.Outcome,
    *,
    now: datetime,
    release_id: int | None = None,
    connection_id: int | None = None,
    currency: str = "",
) -> None:
    """Record an attempt for one release, connection or currency in place of the one before."""
    key: dict[str, Any] = {"release_id": release_id, "connection_id": connection_id, "currency": currency}
    found = {"outcome": outcome, "tried_at": now}
    SourceAttempt.objects.update_or_create(source=source, **key, defaults=found)
