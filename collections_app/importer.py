"""Bring one connection's folders, fields, copies and wantlist up to date, a request at a time.

Each step fetches one page, stores it and says when the next one is due. The walk survives a lost step: whoever
comes next goes on at the same page. `shelf` writes the rows and decides what has been removed.
"""

import logging
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from collections_app import shelf
from collections_app.credentials import CredentialUnreadable, credentials_of
from collections_app.discogs import errors
from collections_app.discogs.client import PAGE_SIZE, DiscogsClient
from collections_app.discogs.payloads import InstancePage, WantPage
from collections_app.models import DiscogsConnection, ImportPass, ImportPassQuerySet

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 5  # tries of one page, also of those that never came back
# So old, a walk takes an outage for its own failure: a page that never comes looks the same to who asks for it alone.
LONGEST_OUTAGE = timedelta(days=1)
LEASE = timedelta(seconds=40)  # longer than a task may take
QUEUE_PATIENCE = timedelta(seconds=30)  # after which a queued step counts as lost
MOST_PAGES = 2_000  # a walk that never meets an empty page ends here
# What was added so shortly before a walk began may have been added during it, by a clock that differs from ours.
CLOCK_MARGIN = timedelta(minutes=10)

Stage = ImportPass.Stage
State = DiscogsConnection.State
ENDINGS = {
    State.RECONNECT_NEEDED: "Discogs no longer accepts the credential. What was read so far is kept. Reconnect.",
    State.PRIVATE: "Discogs says the collection is private. What was read so far is kept.",
    State.GONE: "Discogs does not know this collection any more. What was read so far is kept.",
}
KEPT = "What was read so far is kept. Sync again later."
BROKEN_OFF = "Reading the collection broke off five times at the same place."


class Stopped(errors.DiscogsError):
    """The walk was ended or taken over; nothing of this step may be stored."""

    kind = "stopped"


class Renamed(errors.DiscogsError):
    """The account has another name at Discogs now. It is stored: the walk goes on under it."""

    kind = "renamed"


class OwnerNeeded(errors.DiscogsError):
    """The walk cannot go on before the owner of the connection, now in `state`, has done something."""

    kind = "owner"

    def __init__(self, state: DiscogsConnection.State) -> None:
        super().__init__(ENDINGS[state])
        self.state = state


def start_import(connection: DiscogsConnection, *, now: datetime) -> ImportPass:
    """The running walk of a connection, started if there is none. The caller enqueues its first step."""
    try:
        with transaction.atomic():
            return ImportPass.objects.create(connection=connection, started_at=now)
    except IntegrityError:
        return ImportPass.objects.running().get(connection=connection)


def import_step(pass_id: int, *, now: datetime) -> float | None:
    """Fetch and store the next page of a walk: one request.

    Returns after how many seconds the next step is due, or None when there is none: the walk is over, or
    another task holds it.
    """
    walk = _claim(pass_id, now=now)
    if walk is None:
        return None
    try:
        client = DiscogsClient(credentials_of(walk.connection))
    except CredentialUnreadable:
        return _end(walk, State.RECONNECT_NEEDED, now=now)
    try:
        finished = STEPS[Stage(walk.stage)](walk, client, now)
    except errors.DiscogsError as error:
        return _settle(walk, client, error, now=now)
    return None if finished else 0.0


def idle_imports(*, now: datetime) -> list[int]:
    """The running walks that nobody works on and whose time has come: their next step is to be enqueued."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    due = Q(not_before__isnull=True) | Q(not_before__lte=now)
    unqueued = Q(queued_at__isnull=True) | Q(queued_at__lt=now - QUEUE_PATIENCE)
    return list(ImportPass.objects.running().filter(free & due & unqueued).values_list("pk", flat=True))


def _claim(pass_id: int, *, now: datetime) -> ImportPass | None:
    """Take the walk for one step, which counts as a try until it is known what came of it."""
    owner = uuid.uuid4()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    rows = ImportPass.objects.running().filter(free, pk=pass_id)
    rows.update(
        lease_owner=owner,
        lease_until=now + LEASE,
        not_before=None,
        queued_at=None,
        attempts=F("attempts") + 1,
    )
    walk = ImportPass.objects.select_related("connection").filter(pk=pass_id, lease_owner=owner).first()
    if walk and walk.attempts > MOST_ATTEMPTS:
        _give_up(walk, f"{BROKEN_OFF} {KEPT}", now=now)
        return None
    return walk


# The steps: each makes one request and returns whether the walk is over -------------------------------


def _folders(walk: ImportPass, client: DiscogsClient, now: datetime) -> bool:
    folders = client.collection_folders(walk.connection.discogs_username)
    if all(folder.discogs_id == 0 for folder in folders):
        # The owner is shown folder 1 as well: after a rename the old name may be somebody else's.
        _confirm_owner(walk, client)
    counts = [folder.count for folder in folders if folder.discogs_id == 0]
    with transaction.atomic():
        _advance(
            walk,
            client,
            stage=Stage.FIELDS,
            instances_expected=max(counts, default=0),
            instances_seen=0,
            instances_consistent=len(counts) == 1,
        )
        shelf.store_folders(walk, folders)
    return False


def _fields(walk: ImportPass, client: DiscogsClient, now: datetime) -> bool:
    try:
        fields = client.collection_fields(walk.connection.discogs_username)
    except (errors.NotFound, errors.AccessDenied):
        fields = None  # the folders were shown, so the account is well; those we know stay
    with transaction.atomic():
        _advance(walk, client, stage=Stage.INSTANCES, next_page=1)
        if fields is not None:
            shelf.store_fields(walk, fields)
    return False


def _instances(walk: ImportPass, client: DiscogsClient, now: datetime) -> bool:
    try:
        page = client.collection_page(walk.connection.discogs_username, walk.next_page)
    except errors.NotFound:
        if walk.next_page == 1:
            raise
        page = InstancePage(items=walk.instances_expected, instances=())  # past the end
    with transaction.atomic():
        _advance(walk, client, next_page=walk.next_page + 1)
        new = shelf.store_instances(walk, page.instances)
        walk.instances_seen += new
        settled = all(entry.added_at < walk.started_at - CLOCK_MARGIN for entry in page.instances)
        walk.instances_consistent &= page.items == walk.instances_expected and settled
        walk.instances_expected = max(walk.instances_expected, page.items)
        walk.save(update_fields=["instances_seen", "instances_consistent", "instances_expected"])
        if _is_over(walk, len(page.instances), new, walk.instances_seen, walk.instances_expected):
            _end_of_instances(walk, now=now)
    # Whatever was wrong with the connection before, it works now.
    DiscogsConnection.objects.filter(pk=walk.connection_id).update(last_success_at=now, state=State.ACTIVE)
    return False


def _end_of_instances(walk: ImportPass, *, now: datetime) -> None:
    walk.stage, walk.next_page = Stage.WANTS, 1
    walk.instances_consistent &= walk.instances_seen == walk.instances_expected
    walk.save(update_fields=["stage", "next_page", "instances_consistent"])
    if walk.instances_consistent:
        shelf.note_removed_instances(walk, now=now)


def _wants(walk: ImportPass, client: DiscogsClient, now: datetime) -> bool:
    try:
        page = client.wants_page(walk.connection.discogs_username, walk.next_page)
    except (errors.NotFound, errors.AccessDenied):
        # A wantlist kept to themselves: ours stays as it is.
        page = WantPage(items=walk.wants_expected, wants=())
        walk.wants_consistent &= walk.next_page > 1
    first = walk.next_page == 1
    with transaction.atomic():
        _advance(walk, client, next_page=walk.next_page + 1)
        new = shelf.store_wants(walk, page.wants)
        walk.wants_seen = new + (0 if first else walk.wants_seen)
        settled = all(entry.added_at < walk.started_at - CLOCK_MARGIN for entry in page.wants)
        walk.wants_consistent &= (first or page.items == walk.wants_expected) and settled
        walk.wants_expected = page.items if first else max(walk.wants_expected, page.items)
        walk.save(update_fields=["wants_seen", "wants_consistent", "wants_expected"])
        finished = _is_over(walk, len(page.wants), new, walk.wants_seen, walk.wants_expected)
        if finished:
            _complete(walk, now=now)
    return finished


STEPS: dict[ImportPass.Stage, Callable[[ImportPass, DiscogsClient, datetime], bool]] = {
    Stage.FOLDERS: _folders,
    Stage.FIELDS: _fields,
    Stage.INSTANCES: _instances,
    Stage.WANTS: _wants,
}


def _is_over(walk: ImportPass, rows: int, new: int, seen: int, expected: int) -> bool:
    """Whether the page just stored was the last one. How many there are may be a lie, so empty is the proof.

    A short page that completes the number told saves the request for the empty one; pages that bring nothing new,
    past the number told, repeat themselves.
    """
    pages = walk.next_page - 1
    repeats = new == 0 and pages * PAGE_SIZE >= expected
    return rows == 0 or (rows < PAGE_SIZE and seen >= expected) or repeats or pages >= MOST_PAGES


def _complete(walk: ImportPass, *, now: datetime) -> None:
    walk.wants_consistent &= walk.wants_seen == walk.wants_expected
    walk.state, walk.finished_at = ImportPass.State.COMPLETE, now
    walk.save(update_fields=["wants_consistent", "state", "finished_at"])
    if walk.wants_consistent:
        shelf.delete_removed_wants(walk)


def _advance(walk: ImportPass, client: DiscogsClient, **values: object) -> None:
    """Move the walk on. Raises Stopped when it is no longer ours, or no longer running.

    Also the lock for the rest of the transaction: whoever ends the walk meanwhile waits for it.
    """
    if not _mine(walk).update(
        **values, requests=F("requests") + client.requests_sent, attempts=0, error="", lease_until=None
    ):
        raise Stopped("The import was stopped or taken over.")
    for name, value in values.items():
        setattr(walk, name, value)


def _mine(walk: ImportPass) -> ImportPassQuerySet:
    return ImportPass.objects.running().filter(pk=walk.pk, lease_owner=walk.lease_owner)


# What a failed request means ------------------------------------------------------------------------


def _settle(
    walk: ImportPass, client: DiscogsClient, error: errors.DiscogsError, *, now: datetime
) -> float | None:
    if isinstance(error, Stopped):
        return None
    if isinstance(error, errors.CredentialsRejected | errors.AccessDenied | errors.NotFound):
        error = _explained(walk, client, error)
    _mine(walk).update(requests=F("requests") + client.requests_sent)
    if isinstance(error, OwnerNeeded):
        return _end(walk, error.state, now=now)
    if isinstance(error, Renamed):
        return _wait(walk, 0.0, now=now)
    if isinstance(error, errors.GateClosed):
        return _wait(walk, error.wait_seconds, now=now)
    is_outage = error.opened_breaker and now < walk.started_at + LONGEST_OUTAGE
    if is_outage or isinstance(error, errors.RateLimited):
        return _wait(walk, 1.0, now=now)  # the gate knows for how long; ask it then
    return _failed(walk, error, now=now)


def _explained(walk: ImportPass, client: DiscogsClient, error: errors.DiscogsError) -> errors.DiscogsError:
    """What a refusal means. Asks once who we are before telling someone that their connection is at fault."""
    try:
        _confirm_owner(walk, client)
    except errors.CredentialsRejected:
        return OwnerNeeded(State.RECONNECT_NEEDED)
    except errors.DiscogsError as other:
        return other
    if isinstance(error, errors.CredentialsRejected):
        return errors.ServerError(str(error))  # a 401 by mistake
    return OwnerNeeded(State.PRIVATE if isinstance(error, errors.AccessDenied) else State.GONE)


def _confirm_owner(walk: ImportPass, client: DiscogsClient) -> None:
    """Ask Discogs who we are. Raises OwnerNeeded for somebody else than before, Renamed for another name."""
    connection, me = walk.connection, client.identity()
    if me.discogs_id != connection.discogs_user_id:
        raise OwnerNeeded(State.RECONNECT_NEEDED)
    if me.username != connection.discogs_username:
        # Whoever has disconnected meanwhile has no row any more, and that is no error.
        DiscogsConnection.objects.filter(pk=connection.pk).update(discogs_username=me.username)
        raise Renamed("The account has another name at Discogs now.")


def _wait(walk: ImportPass, seconds: float, *, now: datetime) -> float:
    """Go on later. The page is not to blame, so its try is not counted."""
    later = now + timedelta(seconds=seconds)
    _mine(walk).update(lease_until=None, not_before=later, attempts=F("attempts") - 1)
    return seconds


def _end(walk: ImportPass, state: DiscogsConnection.State, *, now: datetime) -> float | None:
    """Give the walk up, since it cannot succeed before its owner has done something. No step follows.

    Whoever has reconnected while the old credential was in use has done so already: the walk goes on with the new one.
    """
    used = DiscogsConnection.objects.filter(pk=walk.connection_id, credential=walk.connection.credential)
    if not used.update(state=state):
        return _wait(walk, 0.0, now=now)
    _give_up(walk, ENDINGS[state], now=now)
    logger.warning("import %s ended: connection %s is %s", walk.pk, walk.connection_id, state)
    return None


def _failed(walk: ImportPass, error: errors.DiscogsError, *, now: datetime) -> float | None:
    """Try the page again later, or give the walk up."""
    if walk.attempts >= MOST_ATTEMPTS:
        _give_up(walk, f"{error} {KEPT}", now=now)
        return None
    seconds = 2.0**walk.attempts
    later = now + timedelta(seconds=seconds)
    _mine(walk).update(error=str(error), lease_until=None, not_before=later)
    return seconds


def _give_up(walk: ImportPass, why: str, *, now: datetime) -> None:
    """End the walk. What it has stored stays."""
    _mine(walk).update(state=ImportPass.State.FAILED, finished_at=now, lease_until=None, error=why)
