"""Charts of several bands over one axis of days: the marks of a band, and the days written on the axis. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pricing.pages.charts import epoch
from pricing.pages.linechart import HEIGHT, DayChart

MAX_DAYS = 5  # labels of the axis: so many fit on a phone
MONTHS_FROM = 75  # days from which on the axis names months
MONTH_DAYS = 30.4
STEPS_OF_DAYS = (1, 2, 3, 5, 7, 10, 14, 21, 28)
STEPS_OF_MONTHS = (1, 2, 3, 6, 12, 24, 48)
NEAR_IN_LOW = 0.26  # of the height of a low band
EDGE = 12.0  # per cent of the width within which a text is not centred, since it would be cut off


@dataclass(frozen=True, slots=True)
class Mark:
    """A point of a line with a text; `x` and `y` in per cent of the band, `anchor` as SVG has it."""

    name: str
    value: int
    day: date
    x: float
    y: float
    anchor: str


@dataclass(frozen=True, slots=True)
class AxisDay:
    """A day written on the axis, `x` in per cent; `form`: its month, its year, or the day itself."""

    day: date
    x: float
    form: str

    @property
    def anchor(self) -> str:
        return _anchor(self.x, EDGE / 2)


def day_of(time: int) -> date:
    return datetime.fromtimestamp(time, UTC).date()


def _anchor(x: float, edge: float) -> str:
    return "start" if x < edge else "end" if x > 100 - edge else "middle"


def marks_of(times: Sequence[int], values: Sequence[int | None], chart: DayChart) -> list[Mark]:
    """The newest lowest value and the newest highest one; none if the line is flat."""
    known = [(value, time) for time, value in zip(times, values, strict=True) if value is not None]
    if not known or min(known)[0] == max(known)[0]:
        return []
    low = max(known, key=lambda point: (-point[0], point[1]))
    high = max(known)
    return [_mark(name, *point, times, chart) for name, point in (("low", low), ("high", high))]


def _mark(name: str, value: int, time: int, times: Sequence[int], chart: DayChart) -> Mark:
    x = (time - times[0]) * 100 / max(1, times[-1] - times[0])
    return Mark(name, value, day_of(time), x, chart.share(value) * 100, _anchor(x, EDGE))


def outer_ticks(chart: DayChart) -> tuple[int, ...]:
    """The lowest and the highest tick: a low band has room for no more."""
    return chart.ticks[:1] + chart.ticks[1:][-1:]


def is_beside_last(value: int, chart: DayChart) -> bool:
    """Whether the label of a value in a low band would touch that of the last value."""
    return chart.last is not None and abs(chart.share(value) - chart.share(chart.last)) < NEAR_IN_LOW


def area_under(path: str) -> str:
    """The closed area between a path of `linechart` and the bottom of its chart."""
    start = path[1:].partition(" ")[0]
    return f"{path}V{HEIGHT}H{start}Z"


def axis_days(first: date, last: date) -> list[AxisDay]:
    """At most MAX_DAYS days: the first of months, or every few days back from the last if the range is short."""
    span = (last - first).days
    if span < MONTHS_FROM:
        step = next((size for size in STEPS_OF_DAYS if span / size < MAX_DAYS), STEPS_OF_DAYS[-1])
        days = [last - timedelta(days=ago) for ago in range(0, span + 1, step)][::-1]
        return [AxisDay(day, _place(day, first, last), "day") for day in days[-MAX_DAYS:]]
    step = next(
        (size for size in STEPS_OF_MONTHS if span / MONTH_DAYS / size < MAX_DAYS), STEPS_OF_MONTHS[-1]
    )
    before = first.year * 12 + first.month - (first.day == 1)
    months = range(before, last.year * 12 + last.month)
    days = [date(month // 12, month % 12 + 1, 1) for month in months if month % step == 0][-MAX_DAYS:]
    return [AxisDay(day, _place(day, first, last), "year" if day.month == 1 else "month") for day in days]


def _place(day: date, first: date, last: date) -> float:
    return (epoch(day) - epoch(first)) * 100 / max(1, epoch(last) - epoch(first))
