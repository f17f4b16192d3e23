"""Bring one connection's folders and instances up to date, a page at a time.

Each step fetches one page, stores it and says when the next one is due. The walk survives a lost step: whoever
comes next goes on at the same page. Copies are taken for removed only after a complete walk that saw as many
as Discogs says there are.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from collections_app.credentials import CredentialUnreadable, credentials_of
from collections_app.discogs import errors
from collections_app.discogs.client import PAGE_SIZE, DiscogsClient
from collections_app.discogs.payloads import FolderPayload, InstancePage, InstancePayload
from collections_app.models import (
    CollectionInstance,
    CollectionInstanceQuerySet,
    DiscogsConnection,
    Folder,
    ImportPass,
    Release,
)

MOST_ATTEMPTS = 5  # failed tries of one page
LEASE = timedelta(seconds=40)  # longer than a task may take
QUEUE_PATIENCE = timedelta(seconds=30)  # after which a queued step counts as lost
MOST_REMOVED = 0.2  # the share of copies that one walk may take for removed
MOST_PAGES = 2_000  # a walk that never meets an empty page ends here

# Discogs' own note fields; users may rename them, which the import of fields will tell.
MEDIA_FIELD, SLEEVE_FIELD, NOTES_FIELD = 1, 2, 3


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
        finished = _folders(walk, client) if walk.next_page == 0 else _page(walk, client, now=now)
    except errors.GateClosed as error:
        return _wait(walk, error.wait_seconds, now=now)
    except errors.RateLimited:
        return _wait(walk, 1.0, now=now)  # the gate knows for how long; ask it then
    except (errors.DiscogsError, CredentialUnreadable) as error:
        return _failed(walk, error, now=now)
    if finished:
        _complete(walk, now=now)
    return None if finished else 0.0


def idle_imports(*, now: datetime) -> list[int]:
    """The running walks that nobody works on and whose time has come: their next step is to be enqueued."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    due = Q(not_before__isnull=True) | Q(not_before__lte=now)
    unqueued = Q(queued_at__isnull=True) | Q(queued_at__lt=now - QUEUE_PATIENCE)
    return list(ImportPass.objects.running().filter(free & due & unqueued).values_list("pk", flat=True))


def _claim(pass_id: int, *, now: datetime) -> ImportPass | None:
    owner = uuid.uuid4()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    rows = ImportPass.objects.running().filter(free, pk=pass_id)
    rows.update(lease_owner=owner, lease_until=now + LEASE, not_before=None, queued_at=None)
    return ImportPass.objects.select_related("connection").filter(pk=pass_id, lease_owner=owner).first()


def _folders(walk: ImportPass, client: DiscogsClient) -> bool:
    folders = client.collection_folders(walk.connection.discogs_username)
    with transaction.atomic():
        _advance(walk, next_page=1, instances_expected=_expected(folders))
        _store_folders(walk.connection, folders)
    return False


def _page(walk: ImportPass, client: DiscogsClient, *, now: datetime) -> bool:
    try:
        page = client.collection_page(walk.connection.discogs_username, walk.next_page)
    except errors.NotFound:
        if walk.next_page == 1:
            raise
        page = InstancePage(items=walk.instances_expected, pages=walk.pages, instances=())
    with transaction.atomic():
        # Walk until empty: the number of pages may lie. A short page is the last one, and saves the empty one.
        over = len(page.instances) < PAGE_SIZE or walk.next_page >= MOST_PAGES
        _advance(
            walk,
            next_page=walk.next_page + 1,
            pages=page.pages,
            instances_expected=page.items or walk.instances_expected,
            instances_seen=walk.instances_seen + len(page.instances),
        )
        _store_instances(walk, page.instances)
    # Whatever was wrong with the credential before, it works now.
    DiscogsConnection.objects.filter(pk=walk.connection_id).update(
        last_success_at=now, state=DiscogsConnection.State.ACTIVE
    )
    saw_all = walk.instances_seen >= walk.instances_expected
    return (over and saw_all) or not page.instances


def _advance(walk: ImportPass, **values: int) -> None:
    """Move the walk on, if it is still ours and still running; otherwise nothing of this step may be stored."""
    rows = ImportPass.objects.running().filter(pk=walk.pk, lease_owner=walk.lease_owner)
    if not rows.update(**values, requests=F("requests") + 1, attempts=0, error="", lease_until=None):
        raise errors.DiscogsError("The import was stopped or taken over.")
    for name, value in values.items():
        setattr(walk, name, value)


def _complete(walk: ImportPass, *, now: datetime) -> None:
    """End a walk, and note the copies removed at Discogs."""
    held = CollectionInstance.objects.filter(connection=walk.connection_id).held()
    seen = held.filter(seen_in_pass=walk.pk).count()
    with transaction.atomic():
        if seen >= walk.instances_expected:
            _removed(walk, held).update(removed_at=now)
        ImportPass.objects.running().filter(pk=walk.pk).update(
            state=ImportPass.State.COMPLETE, finished_at=now, lease_until=None, instances_seen=seen
        )


def _removed(walk: ImportPass, held: CollectionInstanceQuerySet) -> CollectionInstanceQuerySet:
    """The copies that a whole walk did not see. Many at once are believed only when two walks agree."""
    unseen = held.exclude(seen_in_pass=walk.pk)
    if unseen.count() <= MOST_REMOVED * held.count():
        return unseen
    walks = ImportPass.objects.filter(connection=walk.connection_id, state=ImportPass.State.COMPLETE)
    before = walks.exclude(pk=walk.pk).order_by("-pk").first()
    return unseen.filter(seen_in_pass__lt=before.pk) if before else unseen.none()


def _wait(walk: ImportPass, seconds: float, *, now: datetime) -> float:
    ImportPass.objects.running().filter(pk=walk.pk, lease_owner=walk.lease_owner).update(
        lease_until=None, not_before=now + timedelta(seconds=seconds)
    )
    return seconds


def _failed(walk: ImportPass, error: Exception, *, now: datetime) -> float | None:
    """Count a failed try: again later, or give the walk up. What it stored so far stays."""
    final = isinstance(error, errors.CredentialsRejected | errors.AccessDenied | CredentialUnreadable)
    if isinstance(error, errors.CredentialsRejected | CredentialUnreadable):
        DiscogsConnection.objects.filter(pk=walk.connection_id).update(
            state=DiscogsConnection.State.RECONNECT_NEEDED
        )
    attempts = walk.attempts + 1
    rows = ImportPass.objects.running().filter(pk=walk.pk, lease_owner=walk.lease_owner)
    if final or attempts >= MOST_ATTEMPTS:
        rows.update(state=ImportPass.State.FAILED, finished_at=now, lease_until=None, error=str(error))
        return None
    seconds = 2.0**attempts
    rows.update(
        attempts=attempts,
        error=str(error),
        lease_until=None,
        not_before=now + timedelta(seconds=seconds),
    )
    return seconds


def _expected(folders: Sequence[FolderPayload]) -> int:
    return next((folder.count for folder in folders if folder.discogs_id == 0), 0)


def _store_folders(connection: DiscogsConnection, folders: Iterable[FolderPayload]) -> None:
    Folder.objects.bulk_create(
        [Folder(connection=connection, discogs_id=folder.discogs_id, name=folder.name) for folder in folders],
        update_conflicts=True,
        unique_fields=["connection", "discogs_id"],
        update_fields=["name"],
    )


def _store_instances(walk: ImportPass, instances: Sequence[InstancePayload]) -> None:
    """Insert or update the copies of one page, with their releases: three statements."""
    facts = {entry.release.discogs_id: entry.release for entry in instances}
    Release.objects.bulk_create(
        # In one order everywhere, so that two imports never wait for each other crosswise.
        [Release(**asdict(facts[key])) for key in sorted(facts)],
        update_conflicts=True,
        unique_fields=["discogs_id"],
        update_fields=[field.name for field in Release._meta.fields if field.name != "discogs_id"],
    )
    folders = dict(Folder.objects.filter(connection=walk.connection_id).values_list("discogs_id", "pk"))
    rows = {entry.instance_id: _instance(walk, entry, folders) for entry in instances}
    CollectionInstance.objects.bulk_create(
        list(rows.values()),
        update_conflicts=True,
        unique_fields=["connection", "instance_id"],
        update_fields=[
            "release", "folder", "rating", "media_condition", "sleeve_condition", "notes", "added_at",
            "removed_at", "seen_in_pass",
        ],
    )  # fmt: skip


def _instance(walk: ImportPass, entry: InstancePayload, folders: dict[int, int]) -> CollectionInstance:
    return CollectionInstance(
        connection_id=walk.connection_id,
        instance_id=entry.instance_id,
        release_id=entry.release.discogs_id,
        folder_id=folders.get(entry.folder_id),
        rating=entry.rating,
        media_condition=entry.notes.get(MEDIA_FIELD, ""),
        sleeve_condition=entry.notes.get(SLEEVE_FIELD, ""),
        notes=entry.notes.get(NOTES_FIELD, ""),
        added_at=entry.added_at,
        removed_at=None,
        seen_in_pass=walk.pk,
    )
