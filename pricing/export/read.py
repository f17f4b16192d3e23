"""Read an export line by line, and accept only what `write` writes. Knows nothing of the database's rows."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, BinaryIO

from pricing.export.kinds import PAST_DATETIME
from pricing.export.sections import DROPPED_SECTIONS, FORMAT, SECTIONS, VERSION
from pricing.export.shape import Section, Values

MAX_AHEAD = timedelta(days=1)  # how far the clock of another site may be ahead
MAX_LINE = 4 * 2**20  # bytes; the longest row that Discogs' answers allow is much shorter


class Refused(Exception):
    """The file cannot be restored. The message says what is wrong, with the number of the line if there is one."""

    def __init__(self, what: str, *, line: int = 0) -> None:
        super().__init__(f"Line {line:,}: {what}." if line else what)


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is valid by itself. The caller must check that what it refers to exists."""

    line: int
    section: Section
    values: Values  # by name of the column


def read(file: BinaryIO, *, now: datetime) -> Iterator[Row]:
    """The rows of a file in its order, with one line in memory at a time. Raises Refused at the first error."""
    lines = _Lines(file, latest=now + MAX_AHEAD)
    _header(lines)
    for section in SECTIONS:
        for name in DROPPED_SECTIONS:
            _skip(lines, name)
        if section.is_new and not lines.is_next(f'"{section.name}": ['):
            continue
        yield from _list(lines, section) if section.key else _single(lines, section)
    for end in ('"complete": true', "}"):
        if lines.next() != end:
            raise lines.refused(f"“{end}” should be here")
    if not lines.is_over():
        raise lines.refused("something follows the end of the export")


class _Lines:
    def __init__(self, file: BinaryIO, *, latest: datetime) -> None:
        self._file = file
        self._latest = latest
        self.number = 0
        self._ahead: str | None = None  # a line that was looked at and not taken

    def is_next(self, expected: str) -> bool:
        """Whether the next line, which `next` still returns, is this one."""
        self._ahead = self.next()
        self.number -= 1
        return self._ahead == expected

    def next(self) -> str:
        """The next line without its end. Raises Refused when there is none."""
        self.number += 1
        if self._ahead is not None:
            line, self._ahead = self._ahead, None
            return line
        return self._read()

    def _read(self) -> str:
        line = self._file.readline(MAX_LINE + 1)
        if not line:
            raise self.refused("the file ends here, before the end of the export: it was cut off")
        if len(line) > MAX_LINE:
            raise self.refused(f"it is longer than {MAX_LINE:,} bytes")
        try:
            return line.decode().rstrip("\r\n")
        except UnicodeDecodeError:
            raise self.refused("it is not UTF-8") from None

    def is_over(self) -> bool:
        self.number += 1
        return not self._file.read(1)

    def is_ahead(self, moment: datetime | date) -> bool:
        latest = self._latest if isinstance(moment, datetime) else self._latest.date()
        return moment > latest

    def refused(self, what: str) -> Refused:
        return Refused(what, line=self.number)

    def parse(self, text: str) -> Any:
        try:
            return json.loads(
                text, object_pairs_hook=_without_duplicates, parse_int=_integer, parse_constant=_no_constant
            )
        except (ValueError, RecursionError):
            raise self.refused("it is not a line of an export, or was cut off or changed") from None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _integer(digits: str) -> int:
    if len(digits) > 20:
        raise ValueError("number too large")
    return int(digits)


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def _header(lines: _Lines) -> None:
    line = lines.next()
    head = lines.parse(line.removesuffix(",") + "}") if line.startswith('{"format"') else None
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise lines.refused(f"this is not a file of the format {FORMAT}")
    if type(head.get("version")) is not int or head["version"] != VERSION:
        raise lines.refused(f"the version must be {VERSION}; another version of Crateworth wrote this file")
    if not line.endswith(",") or set(head) != {"format", "version", "exported_at"}:
        raise lines.refused("the first line must hold format, version and exported_at, and nothing else")
    _value(lines, "exported_at", PAST_DATETIME, head["exported_at"])


def _single(lines: _Lines, section: Section) -> Iterator[Row]:
    line, start = lines.next(), f'"{section.name}": '
    if not line.startswith(start) or not line.endswith(","):
        raise lines.refused(f"“{section.name}” should be here")
    found = lines.parse(line[len(start) : -1])
    if found is not None:
        yield _row(lines, section, found)


def _list(lines: _Lines, section: Section) -> Iterator[Row]:
    if lines.next() != f'"{section.name}": [':
        raise lines.refused(f"the list of “{section.name}” should begin here")
    before, has_comma = None, True
    while (line := lines.next()) != "],":
        if not has_comma:
            raise lines.refused(f"the list of “{section.name}” should end here")
        has_comma = line.endswith(",")
        row = _row(lines, section, lines.parse(line.removesuffix(",")))
        key = tuple(row.values[name] for name in section.key)
        if before is not None and key <= before:
            order = ", ".join(section.key)
            raise lines.refused(f"rows of “{section.name}” must be in order of {order}, without duplicates")
        before = key
        yield row
    if before is not None and has_comma:
        raise lines.refused(f"a row of “{section.name}” should follow the comma")


def _skip(lines: _Lines, name: str) -> None:
    """Pass over the list of a section that is read no more, if it is here."""
    if not lines.is_next(f'"{name}": ['):
        return
    lines.next()
    while (line := lines.next()) != "],":
        lines.parse(line.removesuffix(","))


def _row(lines: _Lines, section: Section, found: Any) -> Row:
    if not isinstance(found, dict):
        raise lines.refused(f"“{section.name}” holds something that is not a row")
    found = {**section.defaults, **found}
    unknown = sorted(set(found) - {*section.by_name, *section.dropped})
    missing = [name for name in section.by_name if name not in found]
    if unknown or missing:
        raise lines.refused(f"“{unknown[0][:40]}” is unknown" if unknown else f"“{missing[0]}” is missing")
    values = {name: _value(lines, name, each.kind, found[name]) for name, each in section.by_name.items()}
    if section.check and (wrong := section.check(values)):
        raise lines.refused(wrong)
    return Row(lines.number, section, values)


def _value(lines: _Lines, name: str, kind: Any, found: Any) -> Any:
    try:
        value = kind.read(found)
    except (ValueError, TypeError):
        raise lines.refused(f"“{name}” must be {kind.what}") from None
    if kind.is_past and value is not None and lines.is_ahead(value):
        raise lines.refused(f"“{name}” is in the future")
    return value
