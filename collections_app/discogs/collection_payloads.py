"""Parse collections and wantlists: folders, fields, copies and wants. Pure.

Users and other programs write into these rows, and some are decades old, so each row is read alone. What a row can do
without is left out if it is odd; a row without its ids is returned as unread, with the reason. Only a page that is none
raises BadPayload.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from collections_app.discogs.errors import BadPayload
from collections_app.discogs.json_values import (
    MAX_TEXT,
    as_count,
    as_date,
    as_id,
    as_list,
    as_objects,
    as_text,
    read_count,
    read_list,
    read_object,
)

T = TypeVar("T")
MAX_REASON = 200  # characters
# No host hidden behind an @, and no character that a browser would strip.
IMAGE = re.compile(r"https://[^\s/@\\?#]+/\S*|http://(127\.0\.0\.1|localhost):[0-9]+/\S*")
# Discogs numbers artists of the same name: "Name (2)".
DISAMBIGUATION = re.compile(r" \(\d+\)$")
NO_TITLE = "(no title)"


@dataclass(frozen=True, slots=True)
class UnreadRow:
    """A row that could not be read; ids and title as far as they are known."""

    release_id: int | None
    instance_id: int | None
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Rows(Generic[T]):
    read: tuple[T, ...]
    unread: tuple[UnreadRow, ...] = ()

    def __len__(self) -> int:
        return len(self.read) + len(self.unread)


@dataclass(frozen=True, slots=True)
class FolderPayload:
    discogs_id: int
    name: str
    count: int | None


@dataclass(frozen=True, slots=True)
class FieldPayload:
    discogs_id: int
    name: str


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    """The facts about a release in a collection row. Unknown ones are None or empty."""

    discogs_id: int
    title: str
    artists: str
    year: int | None
    format: str
    labels: str
    catalog_number: str
    genres: tuple[str, ...]
    styles: tuple[str, ...]
    master_id: int | None
    thumb_url: str
    cover_url: str


@dataclass(frozen=True, slots=True)
class CopyPayload:
    """`folder_id` and `added_at` are None if Discogs does not tell them."""

    instance_id: int
    folder_id: int | None
    rating: int
    added_at: datetime | None
    notes: Mapping[int, str]  # by field id
    release: ReleaseFacts


@dataclass(frozen=True, slots=True)
class WantPayload:
    rating: int
    added_at: datetime | None
    notes: str
    release: ReleaseFacts


@dataclass(frozen=True, slots=True)
class CopyPage:
    """`items`: of the whole collection, as Discogs reports. Its number of pages is not reliable, so it is not kept."""

    items: int
    copies: Rows[CopyPayload]


@dataclass(frozen=True, slots=True)
class WantPage:
    items: int  # of the whole wantlist, as Discogs reports
    wants: Rows[WantPayload]


def parse_folders(data: Any) -> Rows[FolderPayload]:
    return _rows(read_list(read_object(data, "folders"), "folders"), _folder)


def parse_fields(data: Any) -> Rows[FieldPayload]:
    return _rows(read_list(read_object(data, "fields"), "fields"), _field)


def parse_copy_page(data: Any) -> CopyPage:
    page = read_object(data, "collection page")
    return CopyPage(_items(page), _rows(read_list(page, "releases"), _copy))


def parse_want_page(data: Any) -> WantPage:
    page = read_object(data, "wantlist page")
    return WantPage(_items(page), _rows(read_list(page, "wants"), _want))


def join_artists(artists: Iterable[Mapping[str, Any]]) -> str:
    """Artists in one line, joined as Discogs writes them: the name variation first, without its number."""
    line, between = "", ""
    for artist in artists:
        name = DISAMBIGUATION.sub("", as_text(artist.get("anv")) or as_text(artist.get("name")))
        line += between + name
        join = as_text(artist.get("join"))
        # The join of the last artist has nothing after it.
        between = f" {join} " if join not in ("", ",") else f"{join} "
    return line.strip()[:MAX_TEXT]


def _items(page: Mapping[str, Any]) -> int:
    return read_count(read_object(page.get("pagination"), "pagination"), "items") or 0


def _rows(rows: Iterable[Any], parse: Callable[[Mapping[str, Any]], T]) -> Rows[T]:
    read: list[T] = []
    unread: list[UnreadRow] = []
    for row in rows:
        try:
            read.append(parse(read_object(row, "data for this row")))
        except BadPayload as error:
            unread.append(_unread(row, str(error)))
    return Rows(tuple(read), tuple(unread))


def _unread(row: Any, reason: str) -> UnreadRow:
    row = row if isinstance(row, dict) else {}
    facts = _basic(row)
    return UnreadRow(
        release_id=as_id(facts.get("id")) or as_id(row.get("id")),
        instance_id=as_id(row.get("instance_id")),
        title=as_text(facts.get("title")) or as_text(row.get("name")),
        reason=reason[:MAX_REASON],
    )


def _folder(row: Mapping[str, Any]) -> FolderPayload:
    number = _required_id(row, "id", "number for this folder")
    return FolderPayload(number, as_text(row.get("name")) or f"Folder {number}", as_count(row.get("count")))


def _field(row: Mapping[str, Any]) -> FieldPayload:
    number = _required_id(row, "id", "number for this field")
    return FieldPayload(number, as_text(row.get("name")) or f"Field {number}")


def _copy(row: Mapping[str, Any]) -> CopyPayload:
    return CopyPayload(
        instance_id=_required_id(row, "instance_id", "number for this copy"),
        folder_id=as_id(row.get("folder_id")),
        rating=_rating(row),
        added_at=as_date(row.get("date_added")),
        notes=_notes(row),
        release=_facts(row),
    )


def _want(row: Mapping[str, Any]) -> WantPayload:
    return WantPayload(
        rating=_rating(row),
        added_at=as_date(row.get("date_added")),
        notes=as_text(row.get("notes")),
        release=_facts(row),
    )


def _required_id(row: Mapping[str, Any], key: str, what: str) -> int:
    number = as_id(row.get(key))
    if number is None:
        raise BadPayload(f"Discogs sent no usable {what}.")
    return number


def _basic(row: Mapping[str, Any]) -> Mapping[str, Any]:
    facts = row.get("basic_information")
    return facts if isinstance(facts, dict) else {}


def _rating(row: Mapping[str, Any]) -> int:
    return min(as_count(row.get("rating")) or 0, 5)


def _notes(row: Mapping[str, Any]) -> dict[int, str]:
    notes = (
        (as_id(note.get("field_id")), as_text(note.get("value"))) for note in as_objects(row.get("notes"))
    )
    return {number: text for number, text in notes if number is not None}


def _facts(row: Mapping[str, Any]) -> ReleaseFacts:
    facts = _basic(row)
    if not facts:
        raise BadPayload("Discogs sent no facts about the release.")
    labels = as_objects(facts.get("labels"))
    year = as_count(facts.get("year"))
    return ReleaseFacts(
        discogs_id=_release_id(row, facts),
        title=as_text(facts.get("title")) or NO_TITLE,
        artists=join_artists(as_objects(facts.get("artists"))),
        year=year if year and 1860 <= year <= 2200 else None,
        format=_format_line(as_objects(facts.get("formats"))),
        labels=_line(DISAMBIGUATION.sub("", as_text(label.get("name"))) for label in labels),
        catalog_number=_line(as_text(label.get("catno")) for label in labels),
        genres=_texts(facts.get("genres")),
        styles=_texts(facts.get("styles")),
        master_id=as_count(facts.get("master_id")) or None,
        thumb_url=_image(facts.get("thumb")),
        cover_url=_image(facts.get("cover_image")),
    )


def _release_id(row: Mapping[str, Any], facts: Mapping[str, Any]) -> int:
    number = as_id(facts.get("id"))
    return _required_id(row, "id", "number for the release") if number is None else number


def _line(parts: Iterable[str]) -> str:
    """Join the parts that are not empty, each once."""
    return ", ".join(dict.fromkeys(filter(None, parts)))[:MAX_TEXT]


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(filter(None, map(as_text, as_list(value))))


def _format_line(formats: list[Mapping[str, Any]]) -> str:
    """`2 × Vinyl, LP, Album`; Discogs sends the quantity as a string."""
    lines = []
    for entry in formats:
        quantity = as_count(entry.get("qty")) or 1
        name = as_text(entry.get("name"))
        named = f"{quantity} × {name}" if quantity > 1 and name else name
        lines.append(", ".join(filter(None, [named, *_texts(entry.get("descriptions"))])))
    return " + ".join(filter(None, lines))[:MAX_TEXT]


def _image(value: Any) -> str:
    address = as_text(value)
    return address if IMAGE.fullmatch(address) else ""
