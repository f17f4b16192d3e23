"""The kinds of values in an export: how each is written, and what is accepted on reading. Pure."""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from typing import Any
from zoneinfo import available_timezones

LARGEST = 2**62  # fits a 64-bit column
MAX_COUNT = 2**31 - 1  # fits a 32-bit column
FIRST_YEAR, LAST_YEAR = 1900, 2200


def _unchanged(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Kind:
    """`read` takes the value from json.loads and raises ValueError for anything that `write` cannot have written."""

    what: str  # completes the sentence “… must be”
    read: Callable[[Any], Any]
    write: Callable[[Any], Any] = _unchanged
    is_text: bool = False  # databases differ in the order of texts
    is_past: bool = False  # a reading cannot be from the future


def _require(condition: bool) -> None:
    if not condition:
        raise ValueError


def whole(minimum: int, maximum: int) -> Kind:
    def read(value: Any) -> int:
        _require(isinstance(value, int) and not isinstance(value, bool) and minimum <= value <= maximum)
        return int(value)

    return Kind(f"a whole number from {minimum} to {maximum}", read)


def number(minimum: float, maximum: float) -> Kind:
    def read(value: Any) -> float:
        _require(isinstance(value, int | float) and not isinstance(value, bool))
        _require(math.isfinite(value) and minimum <= value <= maximum)
        return float(value)

    return Kind(f"a number from {minimum} to {maximum}", read)


def _text(value: Any) -> str:
    # PostgreSQL cannot store NUL, and a lone surrogate cannot be encoded (UnicodeEncodeError is a ValueError).
    _require(isinstance(value, str) and "\x00" not in value)
    value.encode()
    return str(value)


def text(maximum: int | None = None) -> Kind:
    """Any text, of at most `maximum` characters if the column has a width."""

    def read(value: Any) -> str:
        _require(maximum is None or len(_text(value)) <= maximum)
        return _text(value)

    what = "text that can be stored" if maximum is None else f"text of at most {maximum} characters"
    return Kind(what, read, is_text=True)


def one_of(choices: Collection[str | int]) -> Kind:
    def read(value: Any) -> Any:
        _require(any(type(value) is type(choice) and value == choice for choice in choices))
        return value

    what = "one of " + ", ".join(f"“{choice}”" for choice in choices)
    return Kind(what, read, is_text=any(isinstance(choice, str) for choice in choices))


def optional(kind: Kind) -> Kind:
    """The kind, or null."""
    return Kind(
        f"{kind.what}, or null",
        lambda value: None if value is None else kind.read(value),
        lambda value: None if value is None else kind.write(value),
        is_past=kind.is_past,
    )


def _read_boolean(value: Any) -> bool:
    _require(isinstance(value, bool))
    return bool(value)


def _write_datetime(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _read_datetime(value: Any) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    _require(
        moment.tzinfo is not None
        and FIRST_YEAR <= moment.year <= LAST_YEAR
        and _write_datetime(moment) == value
    )
    return moment


def _read_day(value: Any) -> date:
    day = date.fromisoformat(_text(value))
    _require(FIRST_YEAR <= day.year <= LAST_YEAR and day.isoformat() == value)
    return day


def _read_texts(value: Any) -> list[str]:
    _require(isinstance(value, list))
    return [_text(entry) for entry in value]


def _read_named(value: Any) -> dict[str, str]:
    _require(isinstance(value, dict))
    return {_text(name): _text(entry) for name, entry in value.items()}


def _sorted_by_name(value: dict[str, str]) -> dict[str, str]:
    return dict(sorted(value.items()))  # databases differ in the order in which they keep names


@cache
def _zones() -> set[str]:
    return available_timezones()  # reads every file of the time zone database


def _read_zone(value: Any) -> str:
    _require(_text(value) in _zones())
    return str(value)


ID = whole(0, LARGEST)
MINOR = whole(0, LARGEST)  # an amount of money in the minor unit of its currency
PRICE = whole(0, MAX_COUNT)  # the same of one record: 21 million dollars
COUNT = whole(0, MAX_COUNT)
BOOLEAN = Kind("true or false", _read_boolean)
DATETIME = Kind("a date and time such as 2026-01-31T12:00:00.000000Z", _read_datetime, _write_datetime)
DAY = Kind("a date such as 2026-01-31", _read_day, date.isoformat)
PAST_DATETIME, PAST_DAY = replace(DATETIME, is_past=True), replace(DAY, is_past=True)
TEXTS = Kind("a list of texts", _read_texts)
NAMED_TEXTS = Kind("texts by name", _read_named, _sorted_by_name)
TIME_ZONE = Kind("the name of a time zone", _read_zone)
