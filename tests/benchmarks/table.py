"""The table that a benchmark prints: figure, value, bound, and whether the bound is met."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure. `met` is None if it has no bound."""

    figure: str
    value: str
    bound: str = ""
    met: bool | None = None


def at_most(figure: str, value: float, bound: float, unit: str = "") -> Row:
    return Row(figure, _text(value, unit), f"≤ {_text(bound, unit)}", value <= bound)


def at_least(figure: str, value: float, bound: float, unit: str = "") -> Row:
    return Row(figure, _text(value, unit), f"≥ {_text(bound, unit)}", value >= bound)


def exactly(figure: str, value: float, bound: float, unit: str = "") -> Row:
    return Row(figure, _text(value, unit), f"= {_text(bound, unit)}", value == bound)


def fact(figure: str, value: float | str, unit: str = "") -> Row:
    """A figure without a bound."""
    return Row(figure, value if isinstance(value, str) else _text(value, unit))


def drawn(title: str, rows: Sequence[Row]) -> str:
    """The table as text."""
    words = {True: "met", False: "NOT MET", None: ""}
    cells = [("figure", "value", "bound", ""), *((r.figure, r.value, r.bound, words[r.met]) for r in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(3)]
    lines = [
        f"  {a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}  {met}".rstrip() for a, b, c, met in cells
    ]
    return "\n".join([title, *lines, ""])


def _text(value: float, unit: str) -> str:
    if unit == "%":
        return f"{100 * value:.1f} %"
    number = f"{value:,.0f}" if float(value).is_integer() and abs(value) >= 10 else f"{value:,.3g}"
    if abs(value) >= 1000:
        number = f"{value:,.0f}"
    return f"{number} {unit}".rstrip()
