"""Lines over even steps of time as SVG paths, for charts the server draws. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10

WIDTH, HEIGHT = 600, 120  # units of the drawing; it is stretched to fit
STEPS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)

Values = Sequence[float | None]


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
