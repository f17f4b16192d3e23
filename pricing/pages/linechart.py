"""Lines as SVG paths, for charts the server draws: over even steps of time, or over days. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from math import ceil, floor, log10

WIDTH, HEIGHT = 600, 120  # units of the drawing; it is stretched to fit
STEPS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)

Values = Sequence[float | None]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """`paths`: one for each unbroken piece. `last`: the newest value, None when it is unknown."""

    name: str
    paths: tuple[str, ...]
    last: float | None


@dataclass(frozen=True, slots=True)
class LineChart:
    """Lines on one scale from 0 to `top`."""

    lines: tuple[Line, ...]
    top: float

    width = WIDTH
    height = HEIGHT

    @property
    def is_empty(self) -> bool:
        return not any(line.paths for line in self.lines)


def line_chart(series: Mapping[str, Values]) -> LineChart:
    """Lines with the same number of values, oldest first. A None breaks its line: the value is unknown."""
    largest = max((value for values in series.values() for value in values if value is not None), default=0.0)
    top = round_above(largest)
    lines = (
        Line(name, _paths(values, top), values[-1] if values else None) for name, values in series.items()
    )
    return LineChart(tuple(lines), top)


def round_above(value: float) -> float:
    """The smallest number not below `value` that is one of STEPS times a power of ten; at least 1."""
    if value <= 1:
        return 1.0
    unit = 10.0 ** floor(log10(value))
    return next(times * unit for times in STEPS if times * unit >= value)


def _paths(values: Values, top: float) -> tuple[str, ...]:
    step = WIDTH / max(1, len(values) - 1)
    pieces: list[list[str]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            pieces.append([])
            continue
        pieces[-1].append(f"{index * step:.1f} {HEIGHT - value * HEIGHT / top:.1f}")
    # A lone value becomes a dot: a line of no length, with round ends.
    return tuple("M" + "L".join(piece if len(piece) > 1 else piece * 2) for piece in pieces if piece)


MAX_TICKS = 4
ROOM = 0.14  # of the line's height, kept free above it and below it
NEAR = 0.16  # of the chart's height: the label of a tick so close to the last value's would touch it


@dataclass(frozen=True, slots=True)
class DayChart:
    """One line over days, on a scale of whole numbers from `low` to `high`.

    `paths`: one for each unbroken piece; `dots`: one for each value between two gaps. `ticks`: round numbers of the
    scale. `last`: the newest known value, and `dot` its place. Without a known value there is nothing to draw.
    """

    paths: tuple[str, ...] = ()
    dots: tuple[str, ...] = ()
    low: int = 0
    high: int = 1
    ticks: tuple[int, ...] = ()
    last: int | None = None
    dot: str = ""

    width = WIDTH
    height = HEIGHT

    def share(self, value: int) -> float:
        """How far below the top a value is, as a share of the height."""
        return (self.high - value) / (self.high - self.low)

    def y(self, value: int) -> float:
        return self.share(value) * HEIGHT

    def is_near_last(self, value: int) -> bool:
        return self.last is not None and abs(self.share(value) - self.share(self.last)) < NEAR


def day_chart(times: Sequence[int], values: Sequence[int | None]) -> DayChart:
    """The line of values at these times, in order and in any unit. A None breaks the line."""
    known = [value for value in values if value is not None]
    return _drawn(times, values, scale_of(min(known), max(known)), _path) if known else DayChart()


def step_charts(times: Sequence[int], *lines: Sequence[int | None]) -> list[DayChart]:
    """Lines on one scale, each drawn as steps: a value stands until the next one."""
    known = [value for values in lines for value in values if value is not None]
    if not known:
        return [DayChart() for _ in lines]
    scale = scale_of(min(known), max(known))
    return [_drawn(times, values, scale, _steps) for values in lines]


def _drawn(
    times: Sequence[int],
    values: Sequence[int | None],
    scale: tuple[int, int],
    path_of: Callable[[Sequence[Point]], str],
) -> DayChart:
    low, high = scale
    span = max(1, times[-1] - times[0])
    points = [
        None if value is None else ((time - times[0]) * WIDTH / span, (high - value) * HEIGHT / (high - low))
        for time, value in zip(times, values, strict=True)
    ]
    pieces = _pieces(points)
    known = [value for value in values if value is not None]
    return DayChart(
        paths=tuple(path_of(piece) for piece in pieces if len(piece) > 1),
        dots=tuple(_path(piece) for piece in pieces if len(piece) == 1),
        low=low,
        high=high,
        ticks=ticks_between(low, high),
        last=known[-1] if known else None,
        dot=_path(pieces[-1][-1:]) if pieces else "",
    )


def scale_of(lowest: int, highest: int) -> tuple[int, int]:
    """A little more than what the values span; from zero if that is near, and never below it."""
    spread = highest - lowest
    room = ceil(max(spread * ROOM if spread else highest / 10, 1))
    return (0 if lowest < spread / 2 else max(0, lowest - room)), highest + room


def ticks_between(low: int, high: int) -> tuple[int, ...]:
    """At most MAX_TICKS multiples of 1, 2 or 5 times a power of ten."""
    steps = (times * 10**power for power in count() for times in (1, 2, 5))
    step = next(step for step in steps if high // step - ceil(low / step) < MAX_TICKS)
    return tuple(range(ceil(low / step) * step, high + 1, step))


def _pieces(points: Sequence[Point | None]) -> list[list[Point]]:
    """The unbroken pieces, without points that are closer than one unit to the one before them."""
    pieces: list[list[Point]] = [[]]
    for index, point in enumerate(points):
        if point is None:
            pieces.append([])
            continue
        is_end = index + 1 == len(points) or points[index + 1] is None
        if is_end or not pieces[-1] or point[0] - pieces[-1][-1][0] >= 1:
            pieces[-1].append(point)
    return [piece for piece in pieces if piece]


def _path(piece: Sequence[Point]) -> str:
    # A lone value becomes a dot: a line of no length, with round ends.
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in (piece if len(piece) > 1 else (*piece, *piece)))


def _steps(piece: Sequence[Point]) -> str:
    x, y = piece[0]
    return f"M{x:.1f} {y:.1f}" + "".join(f"H{x:.1f}V{y:.1f}" for x, y in piece[1:])
