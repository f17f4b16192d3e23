"""What must hold of everything a parser returns."""

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from collections_app.currencies import CURRENCIES
from collections_app.discogs import collection_payloads, market_payloads, payloads
from collections_app.discogs.json_values import MAX_COUNT, MAX_ID, MAX_TEXT
from tests.collections_app.discogs.payload_fuzz import RELEASE

MAX_MINOR = 10**9 * 100
MAX_USERNAME, MAX_GRADE = 255, 40  # what the columns hold


def check(value: Any) -> None:
    """Every invariant of a parsed value: what the rest of the site and both databases rely on."""
    for one in value if isinstance(value, tuple) else (value,):
        assert one.__dataclass_params__.frozen
        CHECKS[type(one)](one)


def _identity(value: payloads.Identity) -> None:
    _id(value.discogs_id)
    _text(value.username)
    assert 0 < len(value.username) <= MAX_USERNAME


def _rows(value: collection_payloads.Rows[Any]) -> None:
    check(value.read)
    check(value.unread)


def _unread(value: collection_payloads.UnreadRow) -> None:
    for number in (value.release_id, value.instance_id):
        if number is not None:
            _id(number)
    _text(value.title)
    _text(value.reason)
    assert value.reason


def _folder(value: collection_payloads.FolderPayload) -> None:
    _id(value.discogs_id)
    _text(value.name)
    assert value.name
    _count(value.count)


def _field(value: collection_payloads.FieldPayload) -> None:
    _id(value.discogs_id)
    _text(value.name)


def _page(value: collection_payloads.CopyPage | collection_payloads.WantPage) -> None:
    _count(value.items)
    assert value.items is not None
    check(value.copies if isinstance(value, collection_payloads.CopyPage) else value.wants)


def _copy(value: collection_payloads.CopyPayload) -> None:
    _id(value.instance_id)
    if value.folder_id is not None:
        _id(value.folder_id)
    _rated(value)
    for number, text in value.notes.items():
        _id(number)
        _text(text)


def _want(value: collection_payloads.WantPayload) -> None:
    _text(value.notes)
    _rated(value)


def _rated(value: collection_payloads.CopyPayload | collection_payloads.WantPayload) -> None:
    assert type(value.rating) is int
    assert 0 <= value.rating <= 5
    if value.added_at is not None:
        assert isinstance(value.added_at, datetime)
        assert value.added_at.utcoffset() is not None
        assert 1990 <= value.added_at.year <= 2200
    _release(value.release)


def _release(value: collection_payloads.ReleaseFacts) -> None:
    _id(value.discogs_id)
    assert value.title
    for field in fields(value):
        told = getattr(value, field.name)
        for text in told if isinstance(told, tuple) else (told,):
            if isinstance(text, str):
                _text(text)
    assert isinstance(value.genres, tuple)
    assert isinstance(value.styles, tuple)
    assert value.year is None or 1860 <= value.year <= 2200
    assert value.master_id is None or 1 <= value.master_id <= MAX_COUNT
    for address in filter(None, (value.thumb_url, value.cover_url)):
        parts = urlsplit(address)
        assert parts.hostname
        assert parts.scheme == "https" or (
            parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost")
        )
        assert not set(address) & set(" \n\r\t")


def _market(value: payloads.Market) -> None:
    assert value.discogs_id == RELEASE
    assert value.status in ("priced", "none_for_sale", "blocked")
    assert (value.status == "priced") == (value.amount_minor is not None) == (value.currency == "USD")
    assert value.currency in ("USD", "")
    _amount(value.amount_minor)
    for count in (value.num_for_sale, value.want, value.have, value.rating_count):
        _count(count)
    assert value.rating_average is None or 0 <= value.rating_average <= 5


def _stats(value: market_payloads.MarketStats) -> None:
    assert value.currency == "EUR"
    _amount(value.amount_minor)
    _count(value.num_for_sale)


def _suggestion(value: market_payloads.Suggestion) -> None:
    _text(value.grade)
    assert 0 < len(value.grade) <= MAX_GRADE
    assert value.currency in CURRENCIES
    assert value.amount_minor is not None
    _amount(value.amount_minor)


def _range(value: market_payloads.CollectionRange) -> None:
    assert value.currency in CURRENCIES
    ends = (value.minimum_minor, value.median_minor, value.maximum_minor)
    assert all(type(minor) is int for minor in ends)
    assert 0 <= ends[0] <= ends[1] <= ends[2] <= market_payloads.MAX_RANGE_MINOR


def _id(value: Any) -> None:
    assert type(value) is int
    assert 0 <= value <= MAX_ID


def _count(value: Any) -> None:
    assert value is None or (type(value) is int and 0 <= value <= MAX_COUNT)


def _amount(value: Any) -> None:
    assert not isinstance(value, Decimal | float | bool)
    assert value is None or 1 <= value <= MAX_MINOR


def _text(value: Any) -> None:
    assert type(value) is str
    assert "\x00" not in value
    assert len(value) <= MAX_TEXT
    value.encode()


CHECKS: dict[type, Callable[[Any], None]] = {
    payloads.Identity: _identity,
    collection_payloads.Rows: _rows,
    collection_payloads.UnreadRow: _unread,
    collection_payloads.FolderPayload: _folder,
    collection_payloads.FieldPayload: _field,
    collection_payloads.CopyPage: _page,
    collection_payloads.CopyPayload: _copy,
    collection_payloads.WantPage: _page,
    collection_payloads.WantPayload: _want,
    payloads.Market: _market,
    market_payloads.MarketStats: _stats,
    market_payloads.Suggestion: _suggestion,
    market_payloads.CollectionRange: _range,
}
