"""Read untrusted JSON: each reader returns the wanted type or raises BadPayload. Pure."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from collections_app.discogs.errors import BadPayload

MAX_COUNT = 2_000_000_000  # fits a 32-bit column
MAX_ID = 2**62
MAX_TEXT = 5_000


def parse_json(body: bytes) -> Any:
    """Decode JSON with exact numbers. Refuses NaN, infinities, huge numbers and deep nesting."""
    try:
        return json.loads(body, parse_float=_decimal, parse_int=_integer, parse_constant=_refuse)
    except (ValueError, InvalidOperation, RecursionError):
        raise BadPayload("The answer of Discogs is not valid JSON.") from None


def _decimal(text: str) -> Decimal:
    value = Decimal(text)
    if len(text) > 40 or value.adjusted() > 20:
        raise ValueError("number too large")
    return value


def _integer(text: str) -> int:
    if len(text) > 20:
        raise ValueError("number too large")
    return int(text)


def _refuse(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def read_object(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadPayload(f"Discogs sent no {what}.")
    return value


def read_list(row: Mapping[str, Any], key: str) -> list[Any]:
    value = row.get(key)
    if not isinstance(value, list):
        raise BadPayload(f"Discogs sent no list of {key}.")
    return value


def objects(row: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """A list of objects that may be absent or null."""
    value = row.get(key) or []
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise BadPayload(f"Discogs sent {key} in an unexpected shape.")
    return value


def texts(row: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = row.get(key) or []
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise BadPayload(f"Discogs sent {key} in an unexpected shape.")
    return tuple(clean(entry) for entry in value)


def read_id(row: Mapping[str, Any], key: str) -> int:
    value = row.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_ID:
        raise BadPayload(f"Discogs sent no usable {key}.")
    return value


def read_count(row: Mapping[str, Any], key: str) -> int | None:
    """A count that may be absent or null. Refuses negative and absurd ones."""
    value = row.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_COUNT:
        raise BadPayload(f"Discogs sent no usable {key}.")
    return value


def read_text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str):
        raise BadPayload(f"Discogs sent no {key}.")
    return clean(value)


def optional_text(row: Mapping[str, Any], key: str) -> str:
    return "" if row.get(key) is None else read_text(row, key)


def clean(text: str) -> str:
    # PostgreSQL cannot store NUL, and lone surrogates cannot be encoded.
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:MAX_TEXT].strip()


def read_datetime(row: Mapping[str, Any], key: str) -> datetime:
    try:
        moment = datetime.fromisoformat(read_text(row, key))
    except ValueError:
        raise BadPayload(f"Discogs sent no usable {key}.") from None
    if moment.tzinfo is None or not 1990 <= moment.year <= 2200:
        raise BadPayload(f"Discogs sent no usable {key}.")
    return moment
