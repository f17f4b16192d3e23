"""The chart of a release: bands of figures over one axis of days. static/js/bands.js adds a cursor."""

from typing import Any, NamedTuple

from django import template

from pricing.money import format as written
from pricing.money.display import current
from pricing.pages.bands import AxisDay, area_under, axis_days, day_of, is_beside_last, marks_of, outer_ticks
from pricing.pages.linechart import DayChart, day_chart
from pricing.templatetags.plots import Column, drawing

register = template.Library()


class Band(NamedTuple):
    """A column of the chart, the name of its band, and what is said if it has no value."""

    series: str
    name: str
    empty: str


BANDS = (
    Band("price", "Lowest listing", "No price is known in this range."),
    Band("listings", "For sale", "The number of listings is not known in this range."),
    Band("wants", "Want it", "How many people want it is not known in this range."),
)


@register.inclusion_tag("includes/_bands.html")
def bands(columns: dict[str, Column], *, source: str, currency: str) -> dict[str, object]:
    """`columns` come from `chart_shown`: amounts are converted or hidden already. source: id of their json_script."""
    times = [time for time in columns["t"] if time is not None]
    drawn = [_band(columns, times, band, currency) for band in BANDS]
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


def _band(columns: dict[str, Column], times: list[int], band: Band, currency: str) -> dict[str, Any]:
    is_price = band.series == "price"
    unit = currency if is_price else ""
    chart = day_chart(times, columns[band.series])
    drawn = drawing(chart, unit)
    marks = marks_of(times, columns[band.series], chart) if is_price else []
    return {
        **drawn,
        **({} if is_price else _of_low_band(chart)),
        "series": band.series,
        "name": band.name,
        "empty": band.empty,
        "is_price": is_price,
        "areas": [area_under(path) for path in chart.paths],
        "marks": [(mark, _text(mark.value, unit)) for mark in marks],
        "newest": _text(columns[band.series][-1], unit),
    }


def _of_low_band(chart: DayChart) -> dict[str, Any]:
    ticks = outer_ticks(chart)
    labelled = [tick for tick in ticks if not is_beside_last(tick, chart)]
    return {
        "grid": [f"{chart.y(tick):.1f}" for tick in ticks],
        "labels": [(f"{chart.share(tick) * 100:.1f}%", _text(tick, "")) for tick in labelled],
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
