"""Bring an export in for a user of this site: everything or nothing."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, islice
from operator import attrgetter
from typing import Any, BinaryIO

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from collections_app.models import DiscogsConnection, Folder, Release
from pricing.export.read import Refused, Row, read
from pricing.export.sections import RELEASE
from pricing.export.shape import Section
from pricing.models import CollectionValue

AT_ONCE = 500  # rows checked and stored together
FOLDER = "folder__discogs_id"


@dataclass(frozen=True)
class RestoreResult:
    """Rows by section: those of the file, and of what everybody shares those that this site did not know."""

    rows: Counter[str] = field(default_factory=Counter)
    new: Counter[str] = field(default_factory=Counter)


def restore(
    file: BinaryIO, user: AbstractBaseUser | Any, *, now: datetime, dry_run: bool = False
) -> RestoreResult:
    """Store what a file holds as the user's: one transaction, undone for a dry run.

    Raises Refused with nothing stored. The account in the file is read and left; the user keeps theirs.
    """
    with transaction.atomic():
        _must_be_empty(user)
        arrival = _Restore(user)
        for section, rows in groupby(read(file, now=now), key=attrgetter("section")):
            arrival.add(section, rows)
        if arrival.connection is None:
            raise Refused("The file holds no collection: its account was not connected to Discogs")
        transaction.set_rollback(dry_run)
    return arrival.brought


def _must_be_empty(user: AbstractBaseUser | Any) -> None:
    connection = DiscogsConnection.objects.filter(user_id=user.pk).first()
    if connection is not None:
        raise Refused(
            f"{user.get_username()} is connected as {connection.discogs_username} already. "
            "An export is brought in for a user without a connection only: disconnect first, or name another user"
        )
    if CollectionValue.objects.filter(user_id=user.pk).exists():
        raise Refused(f"{user.get_username()} has values of past days already. Name another user")


class _Restore:
    """One file on its way in."""

    def __init__(self, user: AbstractBaseUser | Any) -> None:
        self.user = user
        self.connection: DiscogsConnection | None = None
        self.brought = RestoreResult()

    def add(self, section: Section, rows: Iterator[Row]) -> None:
        known = section.model._default_manager.count() if section.is_shared else 0
        while batch := list(islice(rows, AT_ONCE)):
            if section.owner or section.key:  # the account is only looked at
                self.brought.rows[section.name] += len(batch)
            if section.key:
                self._store(section, batch)
            else:
                self._store_one(section, batch[0])
        if section.is_shared:
            self.brought.new[section.name] = section.model._default_manager.count() - known

    def _store_one(self, section: Section, row: Row) -> None:
        if section.model is DiscogsConnection:
            # The key to Discogs is no part of an export, whatever the state was.
            values = {**row.values, "state": DiscogsConnection.State.RECONNECT_NEEDED, "credential": ""}
            self.connection = DiscogsConnection.objects.create(user_id=self.user.pk, **values)
        elif section.owner:
            section.model._default_manager.update_or_create(user_id=self.user.pk, defaults=row.values)

    def _store(self, section: Section, batch: list[Row]) -> None:
        if self.connection is None:
            raise Refused("a row without a connection that it could belong to", line=batch[0].line)
        if RELEASE in section.columns:
            _must_exist(batch)
        folders = self._folders() if FOLDER in section.fields else {}
        made = [section.model(**self._attributes(row, folders)) for row in batch]
        # Only rows that passed every check come here: SQLite would pass over those that break a constraint.
        section.model._default_manager.bulk_create(made, ignore_conflicts=section.is_shared)

    def _folders(self) -> dict[int, int]:
        rows = Folder.objects.filter(connection=self.connection)
        return dict(rows.values_list("discogs_id", "pk"))

    def _attributes(self, row: Row, folders: dict[int, int]) -> dict[str, Any]:
        columns = row.section.columns
        values = {column.field: row.values[column.name] for column in columns}
        if FOLDER in values:
            folder = values.pop(FOLDER)
            if folder is not None and folder not in folders:
                raise Refused(f"folder {folder} is not in the file", line=row.line)
            values["folder_id"] = folders.get(folder)
        if row.section.owner:
            values[row.section.owner] = self.connection if row.section.owner == "connection" else self.user
        return values


def _must_exist(batch: list[Row]) -> None:
    wanted = {row.values[RELEASE.name] for row in batch}
    known = set(Release.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    for row in batch:
        if row.values[RELEASE.name] not in known:
            raise Refused(f"release {row.values[RELEASE.name]} is not in the file", line=row.line)
