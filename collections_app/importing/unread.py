"""Rows that could not be read: counted and named on their import pass, and never taken for removed."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TypedDict

from collections_app.discogs.collection_payloads import UnreadRow
from collections_app.models import CollectionInstance, ImportPass, WantlistItem

MAX_NAMED = 100  # of one import pass; further ones are only counted
MAX_LISTED = 10  # in the output of a command


class NamedRow(TypedDict):
    what: str
    release_id: int | None
    instance_id: int | None
    title: str
    reason: str


class What(StrEnum):
    FOLDER = "folder"
    FIELD = "field"
    COPY = "copy"
    WANT = "want"


def note(import_pass: ImportPass, what: What, rows: Sequence[UnreadRow]) -> None:
    """Count and name these rows. Saved by the caller, together with the page."""
    import_pass.unread_count += len(rows)
    named = [
        NamedRow(
            what=str(what),
            release_id=row.release_id,
            instance_id=row.instance_id,
            title=row.title,
            reason=row.reason,
        )
        for row in rows
    ]
    import_pass.unread = [*import_pass.unread, *named][:MAX_NAMED]


def keep_copies(import_pass: ImportPass, rows: Sequence[UnreadRow]) -> int:
    """Mark unread copies as seen, so that they are not removed; return how many this pass had not seen.

    A row without its id makes the pass inconsistent: which copy it is is not known, so none may be removed.
    """
    numbers = {row.instance_id for row in rows if row.instance_id is not None}
    import_pass.instances_consistent &= all(row.instance_id is not None for row in rows)
    copies = CollectionInstance.objects.filter(connection=import_pass.connection_id, instance_id__in=numbers)
    known = {row["instance_id"] for row in import_pass.unread}
    copies.update(seen_in_pass=import_pass.pk)
    note(import_pass, What.COPY, rows)
    return len(numbers - known)


def keep_wants(import_pass: ImportPass, rows: Sequence[UnreadRow]) -> int:
    """The same for the wantlist, whose rows are known by their release."""
    numbers = {row.release_id for row in rows if row.release_id is not None}
    import_pass.wants_consistent &= all(row.release_id is not None for row in rows)
    wants = WantlistItem.objects.filter(connection=import_pass.connection_id, release__in=numbers)
    known = {row["release_id"] for row in import_pass.unread if row["what"] == What.WANT}
    wants.update(seen_in_pass=import_pass.pk)
    note(import_pass, What.WANT, rows)
    return len(numbers - known)


def number_of(import_pass: ImportPass, what: What) -> int:
    """How many rows of this kind could not be read. Rows that are not named count as of the kind named last."""
    named = [row["what"] for row in import_pass.unread]
    unnamed = import_pass.unread_count - len(named)
    return named.count(what) + (unnamed if named and named[-1] == what else 0)


def summary(import_pass: ImportPass) -> str:
    """The rows that could not be read, in one line for a command; "" if there are none."""
    if not import_pass.unread_count:
        return ""
    listed = import_pass.unread[:MAX_LISTED]
    more = import_pass.unread_count - len(listed)
    parts = [_in_words(row) for row in listed] + ([f"and {more} more"] if more else [])
    rows = "row" if import_pass.unread_count == 1 else "rows"
    return f"{import_pass.unread_count} {rows} could not be read: {'; '.join(parts)}."


def _in_words(row: NamedRow) -> str:
    release = f" of release {row['release_id']}" if row["release_id"] else ""
    title = f' "{row["title"]}"' if row["title"] else ""
    return f"{row['what']}{release}{title} ({row['reason'].rstrip('.')})"
