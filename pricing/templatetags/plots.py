"""Charts of a page: drawn by the server as SVG, and drawn again by static/js/chart.js where scripts run."""

from datetime import UTC, date, datetime
from math import ceil

from django import template

from collections_app.currencies import digits_of
from pricing.money import format as written
from pricing.money.display import Display, current
from pricing.pages.linechart import DayChart, day_chart

register = template.Library()
register.filter("day_pattern", written.day_pattern)
register.filter("month_names", written.month_names)

Column = list[int | None]
MIN_LABEL = 9  # characters: charts below each other get the same width unless their amounts are large


@register.inclusion_tag("includes/_plot.html")
def plot(columns: dict[str, Column], series: str, *, source: str, **shown: str) -> dict[str, object]:
    """A chart of one column. `columns` come from `chart_shown`, so that amounts are converted or hidden already.

    source: the id of their json_script. shown: `label` of the picture unless what surrounds it has one, `empty` for a
    chart without a value, and `currency` of an amount.
    """
    display, currency = current(), shown.get("currency", "")
    times = [time for time in columns["t"] if time is not None]
    chart = day_chart(times, columns[series])
    labels = [(_per_cent(chart, tick), _tick(tick, currency, display)) for tick in chart.ticks]
    last = None if chart.last is None else _amount(chart.last, currency, display)
    return {
        **shown,
        "source": source,
        "series": series,
        "chart": chart,
        "grid": [f"{chart.y(tick):.1f}" for tick in chart.ticks],
        "labels": [
            label for label, tick in zip(labels, chart.ticks, strict=True) if not chart.is_near_last(tick)
        ],
        "last": last,
        "last_at": "" if chart.last is None else _per_cent(chart, chart.last),
        "characters": ceil(1.1 * max([MIN_LABEL, len(last or ""), *(len(text) for _, text in labels)])) + 2,
        "days": [_day(time) for time in (times[0], times[-1])] if times else [],
        "is_hidden": bool(currency) and display.hides_amounts,
        "shown_in": display.currency_of(currency) if currency else "",
    }


def _per_cent(chart: DayChart, value: int) -> str:
    return f"{chart.share(value) * 100:.1f}%"


def _day(time: int) -> date:
    return datetime.fromtimestamp(time, UTC).date()


def _amount(value: int, currency: str, display: Display) -> str:
    """A value of the chart, which is in the currency of the display already."""
    if not currency:
        return written.number(value, display.locale)
    return (
        "•••"
        if display.hides_amounts
        else written.amount(value, display.currency_of(currency), display.locale)
    )


def _tick(value: int, currency: str, display: Display) -> str:
    """Without decimals where they would be zeros; nothing for a hidden amount: the line keeps only its shape."""
    if currency and display.hides_amounts:
        return ""
    shown_in = display.currency_of(currency)
    if currency and value % 10 ** digits_of(shown_in) == 0:
        return written.whole_amount(value, shown_in, display.locale)
    return _amount(value, currency, display)
