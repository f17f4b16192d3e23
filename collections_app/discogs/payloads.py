"""Parse Discogs' JSON into frozen values. Pure. Anything unexpected raises BadPayload; nothing is guessed.

A missing fact is an absent key, a price is a float with noise, an integer may be a list: docs/discogs-terms.md has the
sources of these facts.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from collections_app.currencies import minor_units
from collections_app.discogs.errors import BadPayload
from collections_app.discogs.json_values import (
    MAX_TEXT,
    objects,
    optional_text,
    read_count,
    read_datetime,
    read_id,
    read_list,
    read_object,
    read_text,
    texts,
)

MAX_AMOUNT = Decimal(10_000_000)  # no record costs more; a larger value is garbage
MAX_USERNAME = 255  # characters; Discogs' limit is lower
# No host hidden behind an @, and no character that a browser would strip.
IMAGE = re.compile(r"https://[^\s/@\\?#]+/\S*|http://(127\.0\.0\.1|localhost):[0-9]+/\S*")
# Discogs numbers artists of the same name: "Name (2)".
DISAMBIGUATION = re.compile(r" \(\d+\)$")


@dataclass(frozen=True, slots=True)
class Identity:
    discogs_id: int
    username: str


@dataclass(frozen=True, slots=True)
class FolderPayload:
    discogs_id: int
    name: str
    count: int


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
    instance_id: int
    folder_id: int
    rating: int
    added_at: datetime
    notes: Mapping[int, str]  # by field id
    release: ReleaseFacts


@dataclass(frozen=True, slots=True)
class CopyPage:
    """`items`: of the whole collection, as Discogs reports. Its number of pages is not reliable, so it is not kept."""

    items: int
    copies: tuple[CopyPayload, ...]


@dataclass(frozen=True, slots=True)
class WantPayload:
    rating: int
    added_at: datetime
    notes: str
    release: ReleaseFacts


@dataclass(frozen=True, slots=True)
class WantPage:
    items: int  # of the whole wantlist, as Discogs reports
    wants: tuple[WantPayload, ...]


class MarketStatus(StrEnum):
    """What Discogs says about a release's market. A failed fetch says nothing, so it has no status here."""

    PRICED = "priced"
    NONE_FOR_SALE = "none_for_sale"
    BLOCKED = "blocked"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Market:
    """The market of a release, with its amount in minor units of `currency`."""

    discogs_id: int
    status: MarketStatus
    currency: str
    amount_minor: int | None
    num_for_sale: int | None
    want: int | None
    have: int | None
    rating_count: int | None
    rating_average: float | None


def parse_identity(data: Any) -> Identity:
    row = read_object(data, "identity")
    username = read_text(row, "username")
    if not 0 < len(username) <= MAX_USERNAME:
        raise BadPayload("Discogs sent no usable username.")
    return Identity(read_id(row, "id"), username)


def parse_folders(data: Any) -> tuple[FolderPayload, ...]:
    rows = read_list(read_object(data, "folders"), "folders")
    return tuple(
        FolderPayload(read_id(row, "id"), read_text(row, "name"), read_count(row, "count") or 0)
        for row in (read_object(row, "folder") for row in rows)
    )


def parse_fields(data: Any) -> tuple[FieldPayload, ...]:
    rows = read_list(read_object(data, "fields"), "fields")
    return tuple(
        FieldPayload(read_id(row, "id"), read_text(row, "name"))
        for row in (read_object(row, "field") for row in rows)
    )


def parse_copy_page(data: Any) -> CopyPage:
    page = read_object(data, "collection page")
    rows = tuple(_copy(read_object(row, "copy")) for row in read_list(page, "releases"))
    return CopyPage(_items(page), rows)


def parse_want_page(data: Any) -> WantPage:
    page = read_object(data, "wantlist page")
    rows = tuple(_want(read_object(row, "want")) for row in read_list(page, "wants"))
    return WantPage(_items(page), rows)


def parse_release_market(data: Any, *, discogs_id: int) -> Market:
    """Parse the market part of `/releases/{id}`, whose price is always in USD.

    None is for sale only if Discogs says so: an explicit null and no listings. A missing key proves nothing.
    """
    row = read_object(data, "release")
    if read_id(row, "id") != discogs_id:
        raise BadPayload("Discogs answered with another release than the one asked for.")
    community = read_object(row.get("community", {}), "community")
    rating = read_object(community.get("rating", {}), "rating")
    amount = parse_amount(row.get("lowest_price"), "USD")
    num_for_sale = read_count(row, "num_for_sale")
    status = _status(bool(row.get("blocked_from_sale", False)), amount)
    if status == MarketStatus.NONE_FOR_SALE and (
        num_for_sale or not {"lowest_price", "num_for_sale"} <= row.keys()
    ):
        raise BadPayload("Discogs sent no lowest price, and did not say that none is for sale.")
    return Market(
        discogs_id=discogs_id,
        status=status,
        currency="USD" if status == MarketStatus.PRICED else "",
        amount_minor=amount if status == MarketStatus.PRICED else None,
        num_for_sale=num_for_sale,
        want=read_count(community, "want"),
        have=read_count(community, "have"),
        rating_count=read_count(rating, "count"),
        rating_average=_rating(rating.get("average")),
    )


def join_artists(artists: Iterable[Mapping[str, Any]]) -> str:
    """Artists in one line, joined as Discogs writes them: the name variation first, without its number."""
    line, between = "", ""
    for artist in artists:
        name = DISAMBIGUATION.sub("", optional_text(artist, "anv") or optional_text(artist, "name"))
        line += between + name
        join = optional_text(artist, "join").strip()
        # The join of the last artist has nothing after it.
        between = f" {join} " if join not in ("", ",") else f"{join} "
    return line.strip()[:MAX_TEXT]


def _status(blocked: bool, amount: int | None) -> MarketStatus:
    if blocked:
        return MarketStatus.BLOCKED
    if amount is not None:
        return MarketStatus.PRICED
    return MarketStatus.NONE_FOR_SALE


def _copy(row: Mapping[str, Any]) -> CopyPayload:
    return CopyPayload(
        instance_id=read_id(row, "instance_id"),
        folder_id=read_id(row, "folder_id"),
        rating=min(read_count(row, "rating") or 0, 5),
        added_at=read_datetime(row, "date_added"),
        notes={read_id(note, "field_id"): optional_text(note, "value") for note in objects(row, "notes")},
        release=_facts(read_object(row.get("basic_information"), "basic information")),
    )


def _want(row: Mapping[str, Any]) -> WantPayload:
    return WantPayload(
        rating=min(read_count(row, "rating") or 0, 5),
        added_at=read_datetime(row, "date_added"),
        notes=optional_text(row, "notes"),
        release=_facts(read_object(row.get("basic_information"), "basic information")),
    )


def _items(page: Mapping[str, Any]) -> int:
    return read_count(read_object(page.get("pagination"), "pagination"), "items") or 0


def _facts(row: Mapping[str, Any]) -> ReleaseFacts:
    labels = objects(row, "labels")
    year = read_count(row, "year") or None
    return ReleaseFacts(
        discogs_id=read_id(row, "id"),
        title=read_text(row, "title"),
        artists=join_artists(objects(row, "artists")),
        year=year if year and 1860 <= year <= 2200 else None,
        format=_format_line(objects(row, "formats")),
        labels=_line(DISAMBIGUATION.sub("", optional_text(label, "name")) for label in labels),
        catalog_number=_line(optional_text(label, "catno") for label in labels),
        genres=texts(row, "genres"),
        styles=texts(row, "styles"),
        master_id=read_count(row, "master_id") or None,
        thumb_url=_image(row, "thumb"),
        cover_url=_image(row, "cover_image"),
    )


def _line(parts: Iterable[str]) -> str:
    """Join the parts that are not empty, each once."""
    return ", ".join(dict.fromkeys(filter(None, parts)))[:MAX_TEXT]


def _format_line(formats: list[Mapping[str, Any]]) -> str:
    """`2 × Vinyl, LP, Album`; Discogs sends the quantity as a string."""
    lines = []
    for entry in formats:
        quantity = optional_text(entry, "qty")
        name = optional_text(entry, "name")
        named = f"{quantity} × {name}" if quantity.isdecimal() and int(quantity[:4]) > 1 else name
        lines.append(", ".join([named, *texts(entry, "descriptions")]))
    return " + ".join(filter(None, lines))[:MAX_TEXT]


def parse_amount(value: Any, currency: str) -> int | None:
    """A price of Discogs in minor units; None for null. Raises BadPayload if it cannot be a price."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise BadPayload("Discogs sent a price that is not a number.")
    if not 0 < value <= MAX_AMOUNT:
        raise BadPayload("Discogs sent a price that cannot be one.")
    amount = minor_units(Decimal(value), currency)
    if amount == 0:
        raise BadPayload("Discogs sent a price that cannot be one.")
    return amount


def _rating(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value <= 5:
        raise BadPayload("Discogs sent a rating that is not one.")
    return float(value)


def _image(row: Mapping[str, Any], key: str) -> str:
    address = optional_text(row, key)
    return address if IMAGE.fullmatch(address) else ""
