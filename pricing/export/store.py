"""Restore an export for a user of this site: all of it or nothing."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import groupby, islice
from operator import attrgetter
from typing import Any, BinaryIO

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from collections_app.importing.decisions import apply_decisions
from collections_app.models import (
    CollectionInstance,
    DiscogsConnection,
    Folder,
    GradeEdit,
    OwnValue,
    PriceDecision,
    Release,
)
from pricing.daily.baselines import renew
from pricing.export.copies import apply_grade_edits, apply_own_values
from pricing.export.read import Refused, Row, read
from pricing.export.sections import COPY, RELEASE
from pricing.export.shape import Section
from pricing.models import CollectionValue, ReleasePrice
from pricing.precision.history import relearn

BATCH = 500  # rows checked and stored together
FOLDER = "folder__discogs_id"


@dataclass(frozen=True)
class RestoreResult:
    """Rows by section: those in the file and, for shared sections, those that were new to this site."""

    rows: Counter[str] = field(default_factory=Counter)
    new: Counter[str] = field(default_factory=Counter)


def restore(
    file: BinaryIO, user: AbstractBaseUser | Any, *, now: datetime, dry_run: bool = False
) -> RestoreResult:
    """Store the content of a file for the user in one transaction, rolled back for a dry run.

    Raises Refused and stores nothing. The account in the file is validated and ignored; the user keeps their own.
    """
    with transaction.atomic():
        _must_be_empty(user)
        restoring = _Restore(user, today=now.astimezone(UTC).date())
        for section, rows in groupby(read(file, now=now), key=attrgetter("section")):
            restoring.add(section, rows)
        if restoring.connection is None:
            raise Refused("The file holds no collection: its account was not connected to Discogs")
        transaction.set_rollback(dry_run)
    return restoring.result


def _must_be_empty(user: AbstractBaseUser | Any) -> None:
    connection = DiscogsConnection.objects.filter(user_id=user.pk).first()
    if connection is not None:
        raise Refused(
            f"{user.get_username()} is connected as {connection.discogs_username} already. "
            "An export can only be restored for a user without a connection: disconnect first, or name another user"
        )
    if CollectionValue.objects.filter(user_id=user.pk).exists():
        raise Refused(f"{user.get_username()} has values of past days already. Name another user")


class _Restore:
    """The state of restoring one file."""

    def __init__(self, user: AbstractBaseUser | Any, *, today: date) -> None:
        self.user = user
        self.today = today
        self.connection: DiscogsConnection | None = None
        self.result = RestoreResult()

    def add(self, section: Section, rows: Iterator[Row]) -> None:
        known = section.model._default_manager.count() if section.is_shared else 0
        while batch := list(islice(rows, BATCH)):
            if section.owner or section.key:  # the account is only validated
                self.result.rows[section.name] += len(batch)
            if section.key:
                self._store(section, batch)
            else:
                self._store_one(section, batch[0])
        if section.is_shared:
            self.result.new[section.name] = section.model._default_manager.count() - known

    def _store_one(self, section: Section, row: Row) -> None:
        if section.model is DiscogsConnection:
            # The credential is not part of an export, so the user has to reconnect, whatever the state was.
            values = {**row.values, "state": DiscogsConnection.State.RECONNECT_NEEDED, "credential": ""}
            self.connection = DiscogsConnection.objects.create(user_id=self.user.pk, **values)
        elif section.owner:
            section.model._default_manager.update_or_create(user_id=self.user.pk, defaults=row.values)

    def _store(self, section: Section, batch: list[Row]) -> None:
        if self.connection is None:
            raise Refused("there is no connection that this row could belong to", line=batch[0].line)
        if RELEASE in section.columns:
            _must_exist(batch)
        folders = self._folders() if FOLDER in section.fields else {}
        copies = self._copies(batch) if COPY in section.columns else {}
        objects: list[Any] = [section.model(**self._attributes(row, folders, copies)) for row in batch]
        # These rows have passed every check: SQLite would silently skip those that break a constraint.
        section.model._default_manager.bulk_create(objects, ignore_conflicts=section.is_shared)
        if section.model is PriceDecision:
            apply_decisions(self.connection.pk, {row.values[RELEASE.name] for row in batch})
        if section.model is OwnValue:
            apply_own_values(objects)
        if section.model is GradeEdit:
            apply_grade_edits(objects)
        if section.model is ReleasePrice:  # the snapshots before it say what else is known
            relearn([row.values[RELEASE.name] for row in batch])
            renew([row.values[RELEASE.name] for row in batch], today=self.today)

    def _folders(self) -> dict[int, int]:
        rows = Folder.objects.filter(connection=self.connection)
        return dict(rows.values_list("discogs_id", "pk"))

    def _copies(self, batch: list[Row]) -> dict[int, int]:
        """Our ids of the copies that these rows are about, by Discogs' ids."""
        wanted = {row.values[COPY.name] for row in batch}
        rows = CollectionInstance.objects.filter(connection=self.connection, instance_id__in=wanted)
        return dict(rows.values_list("instance_id", "pk"))

    def _attributes(self, row: Row, folders: dict[int, int], copies: dict[int, int]) -> dict[str, Any]:
        columns = row.section.columns
        values = {column.field: row.values[column.name] for column in columns}
        if FOLDER in values:
            folder = values.pop(FOLDER)
            if folder is not None and folder not in folders:
                raise Refused(f"folder {folder} is not in the file", line=row.line)
            values["folder_id"] = folders.get(folder)
        if COPY.field in values:
            copy = values.pop(COPY.field)
            if copy not in copies:
                raise Refused(f"copy {copy} is not in the file", line=row.line)
            values["copy_id"] = copies[copy]
        elif row.section.owner:
            values[row.section.owner] = self.connection if row.section.owner == "connection" else self.user
        return values


def _must_exist(batch: list[Row]) -> None:
    wanted = {row.values[RELEASE.name] for row in batch}
    known = set(Release.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    for row in batch:
        if row.values[RELEASE.name] not in known:
            raise Refused(f"release {row.values[RELEASE.name]} is not in the file", line=row.line)
