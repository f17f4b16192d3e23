"""Charts of a page: drawn by the server as SVG, and drawn again by static/js/chart.js where scripts run."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from math import ceil
from typing import Any

from django import template

from collections_app.currencies import digits_of
from pricing.money import format as written
from pricing.money.display import Display, current
from pricing.pages.linechart import DayChart, step_charts
from pricing.templatetags.figures import decimal

register = template.Library()
register.filter("day_pattern", written.day_pattern)
register.filter("month_names", written.month_names)

Column = list[int | None]
HUNDREDTHS = "hundredths"  # of an index
MIN_LABEL = 9  # characters: charts below each other get the same width unless their amounts are large


@register.inclusion_tag("includes/_plot.html")
def plot(
    columns: dict[str, Column], series: str, *, source: str, second: str, **shown: str
) -> dict[str, object]:
    """A chart of one column as steps, from a dashed line at its first value, with a second line if there is one.

    `columns` come from `chart_shown`, so that amounts are converted or hidden already; the days at the places in their
    `marks` are marked. source: the id of their json_script. shown: `named`, the name of the second line in the cursor's
    legend, and the `unit` of values that are not counts: a currency or HUNDREDTHS.
    """
    times = [time for time in columns["t"] if time is not None]
    chart, *others = step_charts(times, columns[series], *([columns[second]] if second in columns else []))
    unit, display = shown.get("unit", ""), current()
    currency = "" if unit == HUNDREDTHS else unit
    first = next((value for value in columns[series] if value is not None), None)
    return {
        **shown,
        **drawing(chart, unit),
        "source": source,
        "series": series,
        "second": second if others else "",
        "others": others,
        "start": None if first is None else f"{chart.y(first):.1f}",
        "marks": list(_marks(columns, series, chart)),
        "days": [_day(time) for time in (times[0], times[-1])] if times else [],
        "is_hidden": bool(currency) and display.hides_amounts,
        "shown_in": display.currency_of(currency) if currency else "",
        "is_hundredths": unit == HUNDREDTHS,
    }


def _marks(columns: dict[str, Column], series: str, chart: DayChart) -> Iterator[tuple[str, str]]:
    """Where the marked days are on the line, in per cent of the drawing."""
    first, last = columns["t"][0] or 0, columns["t"][-1] or 0
    for place in columns.get("marks", []):
        time, value = columns["t"][place or 0], columns[series][place or 0]
        if time is not None and value is not None:
            yield f"{(time - first) * 100 / max(1, last - first):.2f}%", _per_cent(chart, value)


def drawing(chart: DayChart, unit: str) -> dict[str, Any]:
    """A chart with the lines and labels of its scale."""
    display = current()
    labels = [(_per_cent(chart, tick), _tick(tick, unit, display)) for tick in chart.ticks]
    last = None if chart.last is None else _amount(chart.last, unit, display)
    return {
        "chart": chart,
        "grid": [f"{chart.y(tick):.1f}" for tick in chart.ticks],
        "labels": [
            label for label, tick in zip(labels, chart.ticks, strict=True) if not chart.is_near_last(tick)
        ],
        "last": last,
        "last_at": "" if chart.last is None else _per_cent(chart, chart.last),
        "characters": ceil(1.1 * max([MIN_LABEL, len(last or ""), *(len(text) for _, text in labels)])) + 2,
    }


def _per_cent(chart: DayChart, value: int) -> str:
    return f"{chart.share(value) * 100:.1f}%"


def _day(time: int) -> date:
    return datetime.fromtimestamp(time, UTC).date()


def _amount(value: int, unit: str, display: Display) -> str:
    """A value of the chart, which is in the currency of the display already."""
    if unit == HUNDREDTHS:
        return decimal(value / 100)
    if not unit:
        return written.number(value, display.locale)
    return (
        "•••" if display.hides_amounts else written.amount(value, display.currency_of(unit), display.locale)
    )


def _tick(value: int, unit: str, display: Display) -> str:
    """Without decimals where they would be zeros; nothing for a hidden amount: the line keeps only its shape."""
    if unit == HUNDREDTHS:
        decimals = 0 if value % 100 == 0 else 1 if value % 10 == 0 else 2
        return written.number(value / 100, display.locale, decimals=decimals)
    if unit and display.hides_amounts:
        return ""
    shown_in = display.currency_of(unit)
    if unit and value % 10 ** digits_of(shown_in) == 0:
        return written.whole_amount(value, shown_in, display.locale)
    return _amount(value, unit, display)
