"""Store what an import has read: folders, fields, copies and wants, and what is no longer there.

Everything is written by its id at Discogs, so the same page twice changes nothing. A copy or want that a walk did not
see counts as removed only after a whole and consistent walk, and many at once only after two of them.
"""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar

from django.db import models
from django.db.models import Q

from collections_app.discogs.payloads import (
    FieldPayload,
    FolderPayload,
    InstancePayload,
    ReleaseFacts,
    WantPayload,
)
from collections_app.importing.paid import parse_paid
from collections_app.models import (
    CollectionField,
    CollectionInstance,
    Folder,
    ImportPass,
    Release,
    WantlistItem,
)

logger = logging.getLogger(__name__)

MAX_REMOVED = 0.2  # the share of copies or wants that one walk may take for removed

Role = CollectionField.Role
M = TypeVar("M", bound=models.Model)
N = TypeVar("N", FolderPayload, FieldPayload)
# By what users call their fields; where no name tells, Discogs' own three have these numbers.
ROLE_NAMES = {
    Role.MEDIA: re.compile(r"media( condition| grade)?", re.IGNORECASE),
    Role.SLEEVE: re.compile(r"(sleeve|cover)( condition| grade)?", re.IGNORECASE),
    Role.NOTES: re.compile(r"notes?|comments?", re.IGNORECASE),
    Role.PAID: re.compile(
        r"((price|amount) )?paid|(purchase|buying) price|paid price|bought for|cost", re.IGNORECASE
    ),
}
ROLE_NUMBERS = {1: Role.MEDIA, 2: Role.SLEEVE, 3: Role.NOTES}
OWN = (Role.PAID, Role.OTHER)  # kept as text too: a price also where no amount can be read from it


def store_folders(walk: ImportPass, folders: Iterable[FolderPayload]) -> None:
    rows = [
        Folder(
            connection_id=walk.connection_id,
            discogs_id=folder.discogs_id,
            name=folder.name,
            seen_in_pass=walk.pk,
        )
        for folder in _each_once(folders)
    ]
    _upsert(rows, by=("connection", "discogs_id"))


def store_fields(walk: ImportPass, fields: Sequence[FieldPayload]) -> None:
    roles = roles_of(fields)
    rows = [
        CollectionField(
            connection_id=walk.connection_id,
            discogs_id=field.discogs_id,
            name=field.name,
            role=roles[field.discogs_id],
            seen_in_pass=walk.pk,
        )
        for field in _each_once(fields)
    ]
    _upsert(rows, by=("connection", "discogs_id"))
    CollectionField.objects.filter(connection=walk.connection_id).exclude(seen_in_pass=walk.pk).delete()


def roles_of(fields: Iterable[FieldPayload]) -> dict[int, CollectionField.Role]:
    """What each field is read as, by its id. Each role but OTHER goes to one field: the first whose name fits."""
    roles = {field.discogs_id: Role.OTHER for field in fields}
    for role, pattern in ROLE_NAMES.items():
        named = [field.discogs_id for field in fields if pattern.fullmatch(field.name.strip())]
        if named:
            roles[named[0]] = role
    for number, role in ROLE_NUMBERS.items():
        if roles.get(number) == Role.OTHER and role not in roles.values():
            roles[number] = role
    return roles


def store_instances(walk: ImportPass, instances: Sequence[InstancePayload]) -> int:
    """Insert or update the copies of one page, with their releases; returns how many this walk had not seen."""
    known = CollectionInstance.objects.filter(connection=walk.connection_id, seen_in_pass=walk.pk)
    entries = {entry.instance_id: entry for entry in instances}
    again = known.filter(instance_id__in=entries).count()
    _store_releases(entry.release for entry in instances)
    folders, fields = _folder_of_each(walk, entries), _fields_of(walk)
    rows = [_instance(walk, entry, folders[number], fields) for number, entry in entries.items()]
    _upsert(rows, by=("connection", "instance_id"))
    return len(entries) - again


def store_wants(walk: ImportPass, wants: Sequence[WantPayload]) -> int:
    """Insert or update the wants of one page, with their releases; returns how many this walk had not seen."""
    known = WantlistItem.objects.filter(connection=walk.connection_id, seen_in_pass=walk.pk)
    entries = {entry.release.discogs_id: entry for entry in wants}
    again = known.filter(release__in=entries).count()
    _store_releases(entry.release for entry in wants)
    rows = [
        WantlistItem(
            connection_id=walk.connection_id,
            release_id=release,
            rating=entry.rating,
            notes=entry.notes,
            added_at=entry.added_at,
            seen_in_pass=walk.pk,
        )
        for release, entry in entries.items()
    ]
    _upsert(rows, by=("connection", "release"))
    return len(entries) - again


def note_removed_instances(walk: ImportPass, *, now: datetime) -> None:
    """Mark the copies that a whole, consistent walk did not see as removed."""
    held = CollectionInstance.objects.filter(connection=walk.connection_id).held()
    gone = _gone(held, _walk_before(walk, Q(instances_consistent=True)), walk)
    if number := gone.update(removed_at=now):
        logger.info("import %s: %s copies gone at Discogs", walk.pk, number)
    # Folders whose copies have moved; a walk that failed half-way would leave copies without one.
    Folder.objects.filter(connection=walk.connection_id).exclude(seen_in_pass=walk.pk).delete()


def delete_removed_wants(walk: ImportPass) -> None:
    """Delete the wants that a whole, consistent walk did not see."""
    wants = WantlistItem.objects.filter(connection=walk.connection_id)
    gone = _gone(wants, _walk_before(walk, Q(wants_consistent=True)), walk)
    if number := gone.delete()[0]:
        logger.info("import %s: %s wants gone at Discogs", walk.pk, number)


def _walk_before(walk: ImportPass, consistent: Q) -> ImportPass | None:
    walks = ImportPass.objects.filter(
        consistent, connection=walk.connection_id, state=ImportPass.State.COMPLETE
    )
    return walks.exclude(pk=walk.pk).order_by("-pk").first()


def _gone(rows: "models.QuerySet[M]", before: ImportPass | None, walk: ImportPass) -> "models.QuerySet[M]":
    """Those the walk did not see. Many at once are believed only when the walk before did not see them either."""
    unseen = rows.exclude(seen_in_pass=walk.pk)
    if unseen.count() <= MAX_REMOVED * rows.count():
        return unseen
    return unseen.filter(seen_in_pass__lt=before.pk) if before else unseen.none()


def _folder_of_each(walk: ImportPass, entries: Mapping[int, InstancePayload]) -> dict[int, int | None]:
    """Our folder of each copy, by instance.

    A copy in a folder that nobody told of, because it was made during the walk, stays where it was; the next walk
    moves it. This one must not forget any folder then, so it counts as not consistent.
    """
    folders = dict(Folder.objects.filter(connection=walk.connection_id).values_list("discogs_id", "pk"))
    strays = [number for number, entry in entries.items() if entry.folder_id not in folders]
    walk.instances_consistent &= not strays
    copies = CollectionInstance.objects.filter(connection=walk.connection_id, instance_id__in=strays)
    before = dict(copies.values_list("instance_id", "folder_id"))
    return {number: folders.get(entry.folder_id, before.get(number)) for number, entry in entries.items()}


def _fields_of(walk: ImportPass) -> list[CollectionField]:
    """The fields of the notes, no two with one name; Discogs' own three also when it did not tell of them."""
    fields = list(CollectionField.objects.filter(connection=walk.connection_id).order_by("discogs_id"))
    known = {field.discogs_id for field in fields}
    roles = {field.role for field in fields}
    _tell_apart(field for field in fields if field.role in OWN)
    return fields + [
        CollectionField(discogs_id=number, role=role, name=role.label)
        for number, role in ROLE_NUMBERS.items()
        if number not in known and role not in roles
    ]


def _tell_apart(fields: Iterable[CollectionField]) -> None:
    """Number those whose name an earlier one has, for their notes are kept by name: Shop, Shop (2)."""
    taken: set[str] = set()
    for field in fields:
        name, number = field.name, 1
        while field.name in taken:
            number += 1
            field.name = f"{name} ({number})"
        taken.add(field.name)


def _store_releases(releases: Iterable[ReleaseFacts]) -> None:
    facts = {release.discogs_id: release for release in releases}
    # In one order everywhere, so that two imports never wait for each other crosswise.
    _upsert([Release(**asdict(facts[key])) for key in sorted(facts)], by=("discogs_id",))


def _instance(
    walk: ImportPass,
    entry: InstancePayload,
    folder_id: int | None,
    fields: Iterable[CollectionField],
) -> CollectionInstance:
    return CollectionInstance(
        connection_id=walk.connection_id,
        instance_id=entry.instance_id,
        release_id=entry.release.discogs_id,
        folder_id=folder_id,
        rating=entry.rating,
        added_at=entry.added_at,
        removed_at=None,
        seen_in_pass=walk.pk,
        **_notes(entry.notes, fields),
    )


def _notes(notes: Mapping[int, str], fields: Iterable[CollectionField]) -> dict[str, Any]:
    """What the owner wrote about a copy, by what we read it as. A note whose field nobody told of is left out."""
    by_role = {field.role: notes.get(field.discogs_id, "") for field in fields if field.role != Role.OTHER}
    paid = parse_paid(by_role.get(Role.PAID, ""))
    return {
        "media_condition": by_role.get(Role.MEDIA, ""),
        "sleeve_condition": by_role.get(Role.SLEEVE, ""),
        "notes": by_role.get(Role.NOTES, ""),
        "custom_fields": {
            field.name: notes[field.discogs_id]
            for field in fields
            if field.role in OWN and notes.get(field.discogs_id)
        },
        "paid_minor": paid.minor if paid else None,
        "paid_currency": paid.currency if paid else "",
    }


def _each_once(entries: Iterable[N]) -> Iterable[N]:
    """The last of each id: PostgreSQL refuses to write one row twice in a statement."""
    return {entry.discogs_id: entry for entry in entries}.values()


def _upsert(rows: Sequence[M], *, by: tuple[str, ...]) -> None:
    """Insert rows, or update everything else in those that are there by the same key.

    One statement on PostgreSQL; SQLite takes several, for as many parameters as it allows in one.
    """
    if not rows:
        return
    model = type(rows[0])
    others = [field.name for field in model._meta.concrete_fields if not field.primary_key]
    model._default_manager.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=by,
        update_fields=[name for name in others if name not in by],
    )
