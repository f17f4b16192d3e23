"""Bring one connection's folders, fields, copies and wantlist up to date, a request at a time.

Each step fetches one page, stores it and says when the next one is due. The walk survives a lost step: whoever
comes next goes on at the same page. `shelf` writes the rows and decides what has been removed; `setbacks` says what
a failed request means.
"""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F

from collections_app.connections.credentials import CredentialUnreadable, credentials_of
from collections_app.discogs import errors
from collections_app.discogs.client import PAGE_SIZE, DiscogsClient
from collections_app.discogs.gate import longest_wait
from collections_app.discogs.payloads import InstancePage, WantPage
from collections_app.importing import failures, store
from collections_app.models import DiscogsConnection, ImportPass
from collections_app.times import is_over

LEASE = timedelta(seconds=40)  # longer than a task may take
QUEUE_PATIENCE = timedelta(seconds=30)  # after which a queued step counts as lost
MAX_QUEUED = 50  # steps put into the queue at once; those left are queued a second later
MAX_PAGES = 2_000  # a walk that never meets an empty page ends here
# What was added so shortly before a walk began may have been added during it, by a clock that differs from ours.
CLOCK_MARGIN = timedelta(minutes=10)

Stage = ImportPass.Stage
State = DiscogsConnection.State


class ConnectionErased(Exception):
    """The connection is not there any more, so there is nothing to import."""


def start_import(connection: DiscogsConnection, *, now: datetime) -> ImportPass:
    """The running walk of a connection, started if there is none. The caller enqueues its first step.

    Raises ConnectionErased.
    """
    for _ in range(2):  # the running walk may end between our two statements
        try:
            with transaction.atomic():
                return ImportPass.objects.create(connection=connection, started_at=now)
        except IntegrityError:
            running = ImportPass.objects.running().filter(connection=connection).first()
        if running:
            return running
    raise ConnectionErased("The connection was erased meanwhile; nothing was begun.")


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
        return failures.end(walk, State.UNREADABLE, now=now)
    try:
        finished = STEPS[Stage(walk.stage)](walk, client, now)
    except errors.DiscogsError as error:
        return failures.settle(walk, client, error, now=now)
    return None if finished else 0.0


def idle_imports(*, now: datetime, limit: int = MAX_QUEUED) -> list[int]:
    """Up to `limit` running walks that have no step under way and whose time has come, the oldest first.

    Their next step is to be enqueued.
    """
    free = is_over("lease_until", now=now, longest=LEASE)
    due = is_over("not_before", now=now, longest=longest_wait())
    unqueued = is_over("queued_at", now=now - QUEUE_PATIENCE, longest=QUEUE_PATIENCE)
    idle = ImportPass.objects.running().filter(free & due & unqueued).order_by("pk")
    return list(idle.values_list("pk", flat=True)[:limit])


def _claim(pass_id: int, *, now: datetime) -> ImportPass | None:
    """Take the walk for one step, which counts as a try until it is known what came of it."""
    owner = uuid.uuid4()
    free = is_over("lease_until", now=now, longest=LEASE)
    rows = ImportPass.objects.running().filter(free, pk=pass_id)
    rows.update(
        lease_owner=owner,
        lease_until=now + LEASE,
        not_before=None,
        queued_at=None,
        attempts=F("attempts") + 1,
    )
    walk = ImportPass.objects.select_related("connection").filter(pk=pass_id, lease_owner=owner).first()
    if walk and walk.attempts > failures.MAX_ATTEMPTS:
        failures.give_up(walk, failures.BROKEN_OFF, now=now)
        return None
    return walk


# The steps: each makes one request and returns whether the walk is over -------------------------------


def _folders(walk: ImportPass, client: DiscogsClient, now: datetime) -> bool:
    folders = client.collection_folders(walk.connection.discogs_username)
    if all(folder.discogs_id == 0 for folder in folders):
        # The owner is shown folder 1 as well: after a rename the old name may be somebody else's.
        failures.confirm_owner(walk, client)
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
        store.store_folders(walk, folders)
    return False


def _fields(walk: ImportPass, client: DiscogsClient, now: datetime) -> bool:
    try:
        fields = client.collection_fields(walk.connection.discogs_username)
    except (errors.NotFound, errors.AccessDenied):
        fields = None  # the folders were shown, so the account is well; those we know stay
    with transaction.atomic():
        _advance(walk, client, stage=Stage.INSTANCES, next_page=1)
        if fields is not None:
            store.store_fields(walk, fields)
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
        new = store.store_instances(walk, page.instances)
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
        store.note_removed_instances(walk, now=now)


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
        new = store.store_wants(walk, page.wants)
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
    return rows == 0 or (rows < PAGE_SIZE and seen >= expected) or repeats or pages >= MAX_PAGES


def _complete(walk: ImportPass, *, now: datetime) -> None:
    walk.wants_consistent &= walk.wants_seen == walk.wants_expected
    walk.state, walk.finished_at = ImportPass.State.COMPLETE, now
    walk.save(update_fields=["wants_consistent", "state", "finished_at"])
    if walk.wants_consistent:
        store.delete_removed_wants(walk)


def _advance(walk: ImportPass, client: DiscogsClient, **values: object) -> None:
    """Move the walk on. Raises setbacks.Stopped when it is no longer ours, or no longer running.

    Also the lock for the rest of the transaction: whoever ends the walk meanwhile waits for it.
    """
    if not failures.mine(walk).update(
        **values, requests=F("requests") + client.requests_sent, attempts=0, error="", lease_until=None
    ):
        raise failures.Stopped("The import was stopped or taken over.")
    for name, value in values.items():
        setattr(walk, name, value)
