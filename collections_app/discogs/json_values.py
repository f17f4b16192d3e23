"""Read untrusted JSON: each reader returns the wanted type or raises BadPayload. Pure."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from collections_app.discogs.errors import BadPayload

MAX_COUNT = 2_000_000_000  # fits a 32-bit column
MAX_ID = 2**62
MAX_TEXT = 5_000
FIRST_YEAR = 1990  # Discogs is younger


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


def clean(text: str) -> str:
    # PostgreSQL cannot store NUL, and lone surrogates cannot be encoded.
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:MAX_TEXT].strip()


# Facts that a row can do without: each reader returns None, or something empty, for what it does not understand ------


def as_count(value: Any) -> int | None:
    """A count, also written as text or with a decimal point."""
    number = _whole(value)
    return number if number is not None and number <= MAX_COUNT else None


def as_id(value: Any) -> int | None:
    number = _whole(value)
    return number if number is not None and number <= MAX_ID else None


def _whole(value: Any) -> int | None:
    if isinstance(value, str) and value.strip().isdecimal() and len(value) <= 20:
        return int(value)
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def as_text(value: Any) -> str:
    """A text, or a number as text."""
    if isinstance(value, Decimal):
        return f"{value:f}" if value.adjusted() > -20 else "0"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return clean(value) if isinstance(value, str) else ""


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def as_objects(value: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in as_list(value) if isinstance(entry, dict)]


def as_date(value: Any) -> datetime | None:
    """A time since Discogs exists; without an offset it is UTC. Earlier ones stand for an unknown date."""
    try:
        moment = datetime.fromisoformat(as_text(value))
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment if FIRST_YEAR <= moment.year <= 2200 else None
