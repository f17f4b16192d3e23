"""Update one connection's folders, fields, copies and wantlist, one request per step.

Each step fetches one page, stores it and says when the next one is due. An import pass survives a lost step: the next
one continues at the same page. `store` writes the rows, `unread` keeps the odd ones, `removed` decides
what is no longer there; `failures` decides what a failed request means.
"""

import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F

from collections_app.connections.credentials import CredentialUnreadable, credentials_of
from collections_app.discogs import errors
from collections_app.discogs.client import PAGE_SIZE, Credentials, DiscogsClient
from collections_app.discogs.collection_payloads import CopyPage, Rows, WantPage
from collections_app.discogs.gate import longest_wait
from collections_app.importing import failures, removed, store, unread
from collections_app.models import DiscogsConnection, ImportPass
from collections_app.times import is_over

LEASE = timedelta(seconds=40)  # longer than a task may take
QUEUE_PATIENCE = timedelta(seconds=30)  # after which a queued step counts as lost
MAX_QUEUED = 50  # steps queued at once; the rest are queued a second later
MAX_PAGES = 2_000  # an import pass that never gets an empty page ends here
# Discogs' clock may differ from ours: what was added this shortly before an import pass may have been added during it.
CLOCK_MARGIN = timedelta(minutes=10)

UNREAD = ("unread_count", "unread")  # the columns that `unread` counts in

Stage = ImportPass.Stage
State = DiscogsConnection.State


class ConnectionErased(Exception):
    """The connection no longer exists, so there is nothing to import."""


def start_import(connection: DiscogsConnection, *, now: datetime) -> ImportPass:
    """Return the running import pass of a connection; start one if there is none. The caller enqueues its first step.

    Raises ConnectionErased.
    """
    for _ in range(2):  # the running import pass may end between our two statements
        try:
            with transaction.atomic():
                return ImportPass.objects.create(connection=connection, started_at=now)
        except IntegrityError:
            running = ImportPass.objects.running().filter(connection=connection).first()
        if running:
            return running
    raise ConnectionErased("The connection was erased meanwhile. No import was started.")


def import_step(
    pass_id: int, *, now: datetime, client_for: Callable[[Credentials], DiscogsClient] = DiscogsClient
) -> float | None:
    """Fetch and store the next page of an import pass: one request.

    Returns the seconds until the next step, or None if none follows: the import pass is over, or another task holds
    its lease.
    """
    import_pass = _claim(pass_id, now=now)
    if import_pass is None:
        return None
    try:
        client = client_for(credentials_of(import_pass.connection))
    except CredentialUnreadable:
        return failures.end(import_pass, State.UNREADABLE, now=now)
    try:
        finished = STEPS[Stage(import_pass.stage)](import_pass, client, now)
    except errors.DiscogsError as error:
        return failures.settle(import_pass, client, error, now=now)
    return None if finished else 0.0


def idle_imports(*, now: datetime, limit: int = MAX_QUEUED) -> list[int]:
    """Up to `limit` running import passes that are due and have no step under way, the oldest first.

    The caller enqueues their next step.
    """
    free = is_over("lease_until", now=now, longest=LEASE)
    due = is_over("not_before", now=now, longest=longest_wait())
    unqueued = is_over("queued_at", now=now - QUEUE_PATIENCE, longest=QUEUE_PATIENCE)
    idle = ImportPass.objects.running().filter(free & due & unqueued).order_by("pk")
    return list(idle.values_list("pk", flat=True)[:limit])


def _claim(pass_id: int, *, now: datetime) -> ImportPass | None:
    """Lease the import pass for one step. The step counts as a failed attempt until its outcome is known."""
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
    import_pass = (
        ImportPass.objects.select_related("connection").filter(pk=pass_id, lease_owner=owner).first()
    )
    if import_pass and import_pass.attempts > failures.MAX_ATTEMPTS:
        failures.give_up(import_pass, failures.BROKEN_OFF, now=now)
        return None
    return import_pass


# The steps: each makes one request and returns whether the import pass is over ------------------------


def _folders(import_pass: ImportPass, client: DiscogsClient, now: datetime) -> bool:
    rows = client.collection_folders(import_pass.connection.discogs_username)
    folders = rows.read
    if all(folder.discogs_id == 0 for folder in folders):
        # The owner is shown folder 1 as well; otherwise, after a rename, another user may have the old name.
        failures.confirm_owner(import_pass, client)
    counts = [folder.count for folder in folders if folder.discogs_id == 0 and folder.count is not None]
    with transaction.atomic():
        _advance(
            import_pass,
            client,
            stage=Stage.FIELDS,
            instances_expected=max(counts, default=0),
            instances_seen=0,
            instances_consistent=len(counts) == 1 and not rows.unread,
            unread_count=0,
            unread=[],
        )
        store.store_folders(import_pass, folders)
        unread.note(import_pass, unread.What.FOLDER, rows.unread)
        import_pass.save(update_fields=UNREAD)
    return False


def _fields(import_pass: ImportPass, client: DiscogsClient, now: datetime) -> bool:
    try:
        fields = client.collection_fields(import_pass.connection.discogs_username)
    except (errors.NotFound, errors.AccessDenied):
        fields = None  # the folders were shown, so the account is accessible; keep the known fields
    with transaction.atomic():
        _advance(import_pass, client, stage=Stage.COPIES, next_page=1)
        if fields is not None:
            store.store_fields(import_pass, fields.read, are_all=not fields.unread)
            unread.note(import_pass, unread.What.FIELD, fields.unread)
            import_pass.save(update_fields=UNREAD)
    return False


def _copies(import_pass: ImportPass, client: DiscogsClient, now: datetime) -> bool:
    try:
        page = client.collection_page(import_pass.connection.discogs_username, import_pass.next_page)
    except errors.NotFound:
        if import_pass.next_page == 1:
            raise
        page = CopyPage(items=import_pass.instances_expected, copies=Rows(()))  # past the end
    with transaction.atomic():
        _advance(import_pass, client, next_page=import_pass.next_page + 1)
        new = store.store_copies(import_pass, page.copies.read, now=now)
        new += unread.keep_copies(import_pass, page.copies.unread)
        import_pass.instances_seen += new
        settled = _is_settled(import_pass, (entry.added_at for entry in page.copies.read))
        import_pass.instances_consistent &= page.items == import_pass.instances_expected and settled
        import_pass.instances_expected = max(import_pass.instances_expected, page.items)
        import_pass.save(
            update_fields=["instances_seen", "instances_consistent", "instances_expected", *UNREAD]
        )
        if _is_over(
            import_pass, len(page.copies), new, import_pass.instances_seen, import_pass.instances_expected
        ):
            _end_of_copies(import_pass, now=now)
    # The connection works now, whatever its state was before.
    DiscogsConnection.objects.filter(pk=import_pass.connection_id).update(
        last_success_at=now, state=State.ACTIVE
    )
    return False


def _end_of_copies(import_pass: ImportPass, *, now: datetime) -> None:
    import_pass.stage, import_pass.next_page = Stage.WANTS, 1
    import_pass.instances_consistent &= import_pass.instances_seen == import_pass.instances_expected
    removed.note_removed_copies(import_pass, now=now)
    import_pass.save(update_fields=["stage", "next_page", "instances_consistent", "unconfirmed_copies"])


def _wants(import_pass: ImportPass, client: DiscogsClient, now: datetime) -> bool:
    try:
        page = client.wants_page(import_pass.connection.discogs_username, import_pass.next_page)
    except (errors.NotFound, errors.AccessDenied):
        # A private wantlist: the stored one is kept.
        page = WantPage(items=import_pass.wants_expected, wants=Rows(()))
        import_pass.wants_consistent &= import_pass.next_page > 1
    first = import_pass.next_page == 1
    with transaction.atomic():
        _advance(import_pass, client, next_page=import_pass.next_page + 1)
        new = store.store_wants(import_pass, page.wants.read) + unread.keep_wants(
            import_pass, page.wants.unread
        )
        import_pass.wants_seen = new + (0 if first else import_pass.wants_seen)
        settled = _is_settled(import_pass, (entry.added_at for entry in page.wants.read))
        import_pass.wants_consistent &= (first or page.items == import_pass.wants_expected) and settled
        import_pass.wants_expected = page.items if first else max(import_pass.wants_expected, page.items)
        import_pass.save(update_fields=["wants_seen", "wants_consistent", "wants_expected", *UNREAD])
        finished = _is_over(
            import_pass, len(page.wants), new, import_pass.wants_seen, import_pass.wants_expected
        )
        if finished:
            _complete(import_pass, now=now)
    return finished


STEPS: dict[ImportPass.Stage, Callable[[ImportPass, DiscogsClient, datetime], bool]] = {
    Stage.FOLDERS: _folders,
    Stage.FIELDS: _fields,
    Stage.COPIES: _copies,
    Stage.WANTS: _wants,
}


def _is_settled(import_pass: ImportPass, added_at: Iterable[datetime | None]) -> bool:
    """Whether nothing of this was added while the import pass read. What has no date is taken as older."""
    return all(moment is None or moment < import_pass.started_at - CLOCK_MARGIN for moment in added_at)


def _is_over(import_pass: ImportPass, rows: int, new: int, seen: int, expected: int) -> bool:
    """Whether the page just stored was the last. The reported total may be wrong; only an empty page proves the end.

    A short page that completes the reported total saves the request for the empty one. Pages past the reported total
    that hold nothing new are repetitions.
    """
    pages = import_pass.next_page - 1
    repeats = new == 0 and pages * PAGE_SIZE >= expected
    return rows == 0 or (rows < PAGE_SIZE and seen >= expected) or repeats or pages >= MAX_PAGES


def _complete(import_pass: ImportPass, *, now: datetime) -> None:
    import_pass.wants_consistent &= import_pass.wants_seen == import_pass.wants_expected
    removed.delete_removed_wants(import_pass)
    import_pass.state, import_pass.finished_at = ImportPass.State.COMPLETE, now
    import_pass.save(update_fields=["wants_consistent", "state", "finished_at", "unconfirmed_wants"])
    removed.start_confirmation(import_pass, now=now)


def _advance(import_pass: ImportPass, client: DiscogsClient, **values: object) -> None:
    """Advance the import pass. Raises failures.Stopped if it is no longer running or another task holds its lease.

    The update also locks the row for the rest of the transaction: a process that ends the import pass waits for it.
    """
    if not failures.leased_row(import_pass).update(
        **values, requests=F("requests") + client.requests_sent, attempts=0, error="", lease_until=None
    ):
        raise failures.Stopped("The import was stopped or taken over.")
    for name, value in values.items():
        setattr(import_pass, name, value)
