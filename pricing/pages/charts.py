"""Time ranges and chart series. Pure functions; no database access."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import TypeVar

T = TypeVar("T")

# Readings further apart than this are not joined by a line: what happened between them is unknown.
JOINED_UNTIL_DAYS = 7


@dataclass(frozen=True, slots=True)
class Range:
    """A period of history that ends today. `days` is None if the start is not a fixed number of days ago."""

    key: str
    label: str
    words: str
    days: int | None = None


ALL = Range("all", "All", "since the first day")
RANGES = (
    Range("1w", "1W", "in a week", 7),
    Range("1m", "1M", "in a month", 30),
    Range("3m", "3M", "in three months", 91),
    Range("6m", "6M", "in six months", 182),
    Range("ytd", "YTD", "this year"),
    Range("1y", "1Y", "in a year", 365),
    ALL,
)
DEFAULT_RANGE = "3m"
_BY_KEY = {span.key: span for span in RANGES}


@dataclass(frozen=True, slots=True)
class Pill:
    span: Range
    is_current: bool
    is_enabled: bool


def start_of(span: Range, *, today: date, first_day: date | None) -> date:
    """The first day of a range."""
    if span.days is not None:
        return today - timedelta(days=span.days)
    if span.key == "ytd":
        return date(today.year, 1, 1)
    return first_day or today


def fits(span: Range, *, today: date, first_day: date | None) -> bool:
    """Whether the history reaches back to the start of a range. `All` always fits."""
    if span is ALL:
        return True
    return first_day is not None and start_of(span, today=today, first_day=first_day) >= first_day


def choose(key: str, *, today: date, first_day: date | None) -> Range:
    """The requested range, or all of the history if that range is unknown or reaches back too far."""
    span = _BY_KEY.get(key, _BY_KEY[DEFAULT_RANGE])
    return span if fits(span, today=today, first_day=first_day) else ALL


def pills(current: Range, *, today: date, first_day: date | None) -> list[Pill]:
    return [Pill(span, span is current, fits(span, today=today, first_day=first_day)) for span in RANGES]


@dataclass(frozen=True, slots=True)
class Change:
    """The change from one amount or count to another; of a collection, with the copies added and removed in between."""

    then: int
    now: int
    added: int = 0
    removed: int = 0

    @property
    def difference(self) -> int:
        return self.now - self.then

    @property
    def percent(self) -> float | None:
        """None where a percentage has no meaning: it started at zero, or it compares different copies.

        Pages colour only a change that has a percentage: buying records is not a gain.
        """
        if not self.then or self.added or self.removed:
            return None
        return self.difference * 100 / self.then

    @property
    def direction(self) -> str:
        """up, down or flat; flat also if the percentage rounds to 0.0."""
        if self.difference == 0 or (self.percent is not None and round(self.percent, 1) == 0):
            return "flat"
        return "up" if self.difference > 0 else "down"


def change(then: int | None, now: int | None) -> Change | None:
    return None if then is None or now is None else Change(then, now)


def copies_moved(then: int, now: int, *, removed: int) -> tuple[int, int]:
    """The copies added and removed between two counts, of which so many are known to have been removed.

    When a copy was added is not asked: it can have been imported long after its date, and changed the value only then.
    """
    return max(0, now - then + removed), max(removed, then - now)


def epoch(day: date) -> int:
    """Seconds since 1970 at the start of a UTC day: the unit of the chart's time axis."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def with_gaps(days: Sequence[date]) -> list[tuple[date, int | None]]:
    """The days with the position of their reading, and a day with None inside every gap that must stay open."""
    out: list[tuple[date, int | None]] = []
    for index, day in enumerate(days):
        if index and (day - days[index - 1]).days > JOINED_UNTIL_DAYS:
            out.append((days[index - 1] + timedelta(days=1), None))
        out.append((day, index))
    return out


def chart_data(days: Sequence[date], **series: Sequence[int | None]) -> dict[str, list[int | None]]:
    """Columns for the chart: `t` in epoch seconds and one list for each series, gaps as None."""
    positions = with_gaps(days)
    data: dict[str, list[int | None]] = {"t": [epoch(day) for day, _ in positions]}
    for name, values in series.items():
        data[name] = [None if index is None else values[index] for _, index in positions]
    return data


def shape_of(values: Sequence[int | None]) -> list[int | None]:
    """The same line without its amounts: the lowest becomes 1,000 and the highest 2,000."""
    return shapes_of(values)[0]


def shapes_of(*lines: Sequence[int | None]) -> list[list[int | None]]:
    """The same for lines on one scale: the lowest amount of all becomes 1,000 and the highest 2,000."""
    known = [value for values in lines for value in values if value is not None]
    low, high = min(known, default=0), max(known, default=0)
    unit = max(high - low, 1)
    return [
        [None if value is None else 1000 + (value - low) * 1000 // unit for value in values]
        for values in lines
    ]


def marked(times: Sequence[int], counts: Sequence[int | None], most: int) -> list[int]:
    """The places of counts that are not zero, at most so many: a mark also stands for those nearer than legible."""
    apart = (times[-1] - times[0]) / most if times else 0
    places: list[int] = []
    for place, number in enumerate(counts):
        if number and (not places or times[place] - times[places[-1]] >= apart):
            places.append(place)
    return places


def thinned(rows: Sequence[T], limit: int) -> list[T]:
    """At most `limit` rows at even steps, always including the newest, newest first."""
    step = max(1, ceil(len(rows) / limit))
    return list(rows[::-1][::step])


def sparkline(
    points: Iterable[tuple[date, int | None]], *, width: int, height: int, start: date
) -> list[str]:
    """SVG paths, one for each unbroken piece, in a box of width × height whose left edge is `start`.

    The box spans from `start` to the last point; a point without a value breaks the line.
    """
    known = [(day, value) for day, value in points if day >= start]
    values = [value for _, value in known if value is not None]
    if len(values) < 2:
        return []
    low, high = min(values), max(values)
    days = max(1, (known[-1][0] - start).days)
    pieces: list[list[str]] = [[]]
    for day, value in known:
        if value is None:
            pieces.append([])
            continue
        x = (day - start).days * width / days
        y = height / 2 if high == low else height - (value - low) * height / (high - low)
        pieces[-1].append(f"{x:.1f} {y:.1f}")
    return ["M" + "L".join(piece) for piece in pieces if len(piece) > 1]
