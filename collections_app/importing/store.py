"""Store what an import has read: folders, fields, copies and wants.

Rows are written by their Discogs ids, so storing a page twice changes nothing.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields as fields_of
from datetime import datetime
from typing import Any, TypeVar

from collections_app.discogs.collection_payloads import (
    CopyPayload,
    FieldPayload,
    FolderPayload,
    ReleaseFacts,
    WantPayload,
)
from collections_app.importing.decisions import apply_decisions
from collections_app.importing.paid import parse_paid
from collections_app.importing.rows import SEEN, Values, stored_rows, upsert, write_differing
from collections_app.models import (
    CollectionField,
    CollectionInstance,
    Folder,
    GradeEdit,
    ImportPass,
    Release,
    WantlistItem,
)

Role = CollectionField.Role
N = TypeVar("N", FolderPayload, FieldPayload)
# By the names users give their fields. If no name matches, Discogs' own three fields have the numbers below.
ROLE_NAMES = {
    Role.MEDIA: re.compile(r"media( condition| grade)?", re.IGNORECASE),
    Role.SLEEVE: re.compile(r"(sleeve|cover)( condition| grade)?", re.IGNORECASE),
    Role.NOTES: re.compile(r"notes?|comments?", re.IGNORECASE),
    Role.PAID: re.compile(
        r"((price|amount) )?paid|(purchase|buying) price|paid price|bought for|cost", re.IGNORECASE
    ),
}
ROLE_NUMBERS = {1: Role.MEDIA, 2: Role.SLEEVE, 3: Role.NOTES}
FACTS = tuple(field.name for field in fields_of(ReleaseFacts))  # also the columns of Release
# Columns of a copy that only this site writes.
OURS = ("price_decision", "decided_at", "own_minor", "own_set_at", "grade_edited_at")
OWN = (Role.PAID, Role.OTHER)  # also kept as text: a price may not be readable as an amount


def store_folders(import_pass: ImportPass, folders: Iterable[FolderPayload]) -> None:
    rows = [
        Folder(
            connection_id=import_pass.connection_id,
            discogs_id=folder.discogs_id,
            name=folder.name,
            seen_in_pass=import_pass.pk,
        )
        for folder in _each_once(folders)
    ]
    upsert(rows, by=("connection", "discogs_id"))


def store_fields(import_pass: ImportPass, fields: Sequence[FieldPayload], *, are_all: bool) -> None:
    """Insert or update fields; delete the others if these are all."""
    roles = roles_of(fields)
    rows = [
        CollectionField(
            connection_id=import_pass.connection_id,
            discogs_id=field.discogs_id,
            name=field.name,
            role=roles[field.discogs_id],
            seen_in_pass=import_pass.pk,
        )
        for field in _each_once(fields)
    ]
    upsert(rows, by=("connection", "discogs_id"))
    known = CollectionField.objects.filter(connection=import_pass.connection_id)
    if are_all:
        known.exclude(seen_in_pass=import_pass.pk).delete()


def roles_of(fields: Iterable[FieldPayload]) -> dict[int, CollectionField.Role]:
    """The role of each field, by its id. Each role except OTHER goes to one field: the first whose name matches."""
    roles = {field.discogs_id: Role.OTHER for field in fields}
    for role, pattern in ROLE_NAMES.items():
        named = [field.discogs_id for field in fields if pattern.fullmatch(field.name.strip())]
        if named:
            roles[named[0]] = role
    for number, role in ROLE_NUMBERS.items():
        if roles.get(number) == Role.OTHER and role not in roles.values():
            roles[number] = role
    return roles


def store_copies(import_pass: ImportPass, copies: Sequence[CopyPayload], *, now: datetime) -> int:
    """Insert or update the copies of one page and their releases; return how many this import pass had not seen."""
    mine = CollectionInstance.objects.filter(connection=import_pass.connection_id)
    entries = {entry.instance_id: entry for entry in copies}
    if not entries:
        return 0
    _store_releases(entry.release for entry in copies)
    stored = stored_rows(mine, "instance_id", entries)
    folders, fields = _folder_of_each(import_pass, entries, stored), _fields_of(import_pass)
    wanted = {
        number: {
            "connection_id": import_pass.connection_id,
            "instance_id": number,
            "release_id": entry.release.discogs_id,
            "folder_id": folders[number],
            "rating": entry.rating,
            "added_at": _date(import_pass, entry.added_at, stored.get(number)),
            "removed_at": None,
            "seen_in_pass": import_pass.pk,
            **_notes(entry.notes, fields),
        }
        for number, entry in entries.items()
    }
    write_differing(mine, wanted, stored, by=("connection", "instance_id"), kept=OURS)
    _store_grade_edits(wanted, stored, now=now)
    apply_decisions(import_pass.connection_id, {entry.release.discogs_id for entry in copies})
    return len(entries) - _seen_again(import_pass, stored)


def _store_grade_edits(wanted: Mapping[int, Values], stored: Mapping[int, Values], *, now: datetime) -> None:
    """Keep the grades that this page has changed: past days are valued with the grade of their time."""
    edits = [
        GradeEdit(copy_id=row["id"], before=row["media_condition"], edited_at=now)
        for number, row in stored.items()
        if row["media_condition"] != wanted[number]["media_condition"]
    ]
    if edits:
        GradeEdit.objects.bulk_create(edits)
        changed = CollectionInstance.objects.filter(pk__in=[edit.copy_id for edit in edits])
        changed.update(grade_edited_at=now)


def store_wants(import_pass: ImportPass, wants: Sequence[WantPayload]) -> int:
    """Insert or update the wants of one page and their releases; return how many this import pass had not seen."""
    mine = WantlistItem.objects.filter(connection=import_pass.connection_id)
    entries = {entry.release.discogs_id: entry for entry in wants}
    if not entries:
        return 0
    _store_releases(entry.release for entry in wants)
    stored = stored_rows(mine, "release_id", entries)
    wanted = {
        release: {
            "connection_id": import_pass.connection_id,
            "release_id": release,
            "rating": entry.rating,
            "notes": entry.notes,
            "added_at": _date(import_pass, entry.added_at, stored.get(release)),
            "seen_in_pass": import_pass.pk,
        }
        for release, entry in entries.items()
    }
    write_differing(mine, wanted, stored, by=("connection", "release"))
    return len(entries) - _seen_again(import_pass, stored)


def _seen_again(import_pass: ImportPass, stored: Mapping[int, Values]) -> int:
    return sum(row[SEEN] == import_pass.pk for row in stored.values())


def _date(import_pass: ImportPass, reported: datetime | None, stored: Values | None) -> datetime:
    """When a copy or want was added. One that Discogs does not date counts from when it was first read."""
    first_read: datetime = stored["added_at"] if stored else import_pass.started_at
    return reported or first_read


def _folder_of_each(
    import_pass: ImportPass, entries: Mapping[int, CopyPayload], stored: Mapping[int, Values]
) -> dict[int, int | None]:
    """Our folder of each copy, by Discogs' id of the copy.

    A copy in an unknown folder, one made during the import pass, stays where it was; the next pass moves it. This pass
    must not delete any folder then, so it counts as inconsistent. A copy without a folder stays where it was, too.
    """
    folders = dict(
        Folder.objects.filter(connection=import_pass.connection_id).values_list("discogs_id", "pk")
    )
    named = {number: entry.folder_id for number, entry in entries.items() if entry.folder_id is not None}
    import_pass.instances_consistent &= all(folder in folders for folder in named.values())
    before = {number: row["folder_id"] for number, row in stored.items()}
    return {number: folders.get(named.get(number, -1), before.get(number)) for number in entries}


def _fields_of(import_pass: ImportPass) -> list[CollectionField]:
    """The fields of the notes, with unique names; includes Discogs' own three even if it did not list them."""
    fields = list(CollectionField.objects.filter(connection=import_pass.connection_id).order_by("discogs_id"))
    known = {field.discogs_id for field in fields}
    roles = {field.role for field in fields}
    _make_names_unique(field for field in fields if field.role in OWN)
    return fields + [
        CollectionField(discogs_id=number, role=role, name=role.label)
        for number, role in ROLE_NUMBERS.items()
        if number not in known and role not in roles
    ]


def _make_names_unique(fields: Iterable[CollectionField]) -> None:
    """Number fields whose name is taken, since notes are stored by field name: Shop, Shop (2)."""
    taken: set[str] = set()
    for field in fields:
        name, number = field.name, 1
        while field.name in taken:
            number += 1
            field.name = f"{name} ({number})"
        taken.add(field.name)


def _store_releases(releases: Iterable[ReleaseFacts]) -> None:
    """Insert the releases, or update those whose facts differ: two queries, of which the second is rare."""
    facts = {release.discogs_id: _columns(release) for release in releases}
    stored = stored_rows(Release.objects.all(), "discogs_id", facts)
    # In the same order everywhere, so that two imports cannot deadlock.
    differing = [facts[key] for key in sorted(facts) if facts[key] != stored.get(key)]
    upsert([Release(**columns) for columns in differing], by=("discogs_id",))


def _columns(release: ReleaseFacts) -> Values:
    columns = {name: getattr(release, name) for name in FACTS}
    return columns | {"genres": list(release.genres), "styles": list(release.styles)}


def _notes(notes: Mapping[int, str], fields: Iterable[CollectionField]) -> dict[str, Any]:
    """The owner's notes about a copy, by role. A note of an unknown field is left out."""
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
    """The last entry of each id: PostgreSQL refuses to write a row twice in one statement."""
    return {entry.discogs_id: entry for entry in entries}.values()
