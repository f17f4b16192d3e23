"""A chart of a release: bands of figures over one axis of days, drawn by the server; static/js/bands.js adds a cursor."""

from typing import Any

from django import template

from pricing.money import format as written
from pricing.money.display import current
from pricing.pages.bands import AxisDay, area_under, axis_days, day_of, marks_of
from pricing.pages.linechart import DayChart
from pricing.templatetags.plots import Column, plot

register = template.Library()

# The columns of the chart, the names of their bands, and what is said of a column without a value.
BANDS = (
    ("price", "Lowest listing", "No price is known in this range."),
    ("listings", "For sale", "The number of listings is not known in this range."),
    ("wants", "Want it", "How many people want it is not known in this range."),
)


@register.inclusion_tag("includes/_bands.html")
def bands(columns: dict[str, Column], *, source: str, currency: str) -> dict[str, object]:
    """`columns` come from `chart_shown`, so that amounts are converted or hidden already; `source`: their json_script."""
    times = [time for time in columns["t"] if time is not None]
    drawn = [_band(columns, times, *band, currency) for band in BANDS]
    first, last = day_of(times[0]), day_of(times[-1])
    display = current()
    return {
        "bands": drawn,
        "source": source,
        "characters": max(band["characters"] for band in drawn),
        "days": [(day, _day_text(day)) for day in axis_days(first, last)],
        "first": first,
        "last_day": last,
        "is_hidden": display.hides_amounts,
        "shown_in": display.currency_of(currency),
    }


def _band(
    columns: dict[str, Column], times: list[int], series: str, name: str, empty: str, currency: str
) -> dict[str, Any]:
    is_price = series == "price"
    unit = currency if is_price else ""
    band: dict[str, Any] = plot(columns, series, source="", currency=unit)
    chart: DayChart = band["chart"]
    marks = marks_of(times, columns[series], chart) if is_price else []
    return {
        **band,
        "name": name,
        "empty": empty,
        "is_price": is_price,
        "areas": [area_under(path) for path in chart.paths],
        "marks": [(mark, _text(mark.value, unit)) for mark in marks],
        "newest": _text(columns[series][-1], unit),
    }


def _text(value: int | None, currency: str) -> str:
    """A value of the chart, which is in the currency of the display already."""
    shown = current()
    if value is None:
        return written.DASH
    if not currency:
        return written.number(value, shown.locale)
    return "•••" if shown.hides_amounts else written.amount(value, shown.currency_of(currency), shown.locale)


def _day_text(axis_day: AxisDay) -> str:
    day, locale = axis_day.day, current().locale
    if axis_day.form == "day":
        return written.day(day, locale, "short")
    return str(day.year) if axis_day.form == "year" else written.month_names(locale)[day.month - 1]
