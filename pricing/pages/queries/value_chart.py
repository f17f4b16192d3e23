"""The chart of the dashboard: the value with what was paid for it, or the like-for-like index beside the market's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pricing.daily.market import market_index
from pricing.daily.purchases import Purchases, lots_of, purchases_on
from pricing.models import CollectionValue
from pricing.pages.charts import chart_data, marked, thinned
from pricing.pages.queries.history import TABLE_ROWS
from pricing.pages.waterfall import index_over, levels_over

INDEX = "index"
MAX_MARKS = 36  # so many are still apart on a phone

Columns = dict[str, list[int | None]]


@dataclass(frozen=True, slots=True)
class ValueRow:
    """A day of the table behind the chart; `added`: the copies added since the row before it, by date."""

    point: CollectionValue
    invested_minor: int | None
    added: int


@dataclass(frozen=True, slots=True)
class ValueChart:
    """The value of each day, with the purchases behind it."""

    points: list[CollectionValue]
    purchases: Purchases

    is_index = False
    kept = ""  # what links to other ranges carry on

    @property
    def has_invested(self) -> bool:
        return self.purchases.paid > 0

    @property
    def invested_minor(self) -> int | None:
        return self.purchases.invested[-1]

    @property
    def amounts(self) -> str:
        """The names of the columns that hold amounts."""
        return "value invested" if self.has_invested else "value"

    @property
    def columns(self) -> Columns:
        """Also `marks`, which is shorter: the places of the days marked as purchases."""
        fields = {"value": "value_minor", "priced": "priced", "copies": "instances"}
        series = {name: [getattr(point, field) for point in self.points] for name, field in fields.items()}
        series["added"] = self.purchases.added
        if self.has_invested:
            series["invested"] = self.purchases.invested
        columns = chart_data([point.day for point in self.points], **series)
        times = [time for time in columns["t"] if time is not None]
        return {**columns, "marks": [*marked(times, columns["added"], MAX_MARKS)]}

    @property
    def table(self) -> list[ValueRow]:
        bought, places = self.purchases, thinned(range(len(self.points)), TABLE_ROWS)
        return [
            ValueRow(self.points[place], bought.invested[place], sum(bought.added[before + 1 : place + 1]))
            for place, before in zip(places, [*places[1:], -1], strict=True)
        ]


@dataclass(frozen=True, slots=True)
class IndexRow:
    """A day of the table behind the chart; levels in hundredths."""

    day: date
    level: int
    market: int | None


@dataclass(frozen=True, slots=True)
class IndexChart:
    """The like-for-like index, 100 on the first day, and the market's, in hundredths, as far as that is known.

    The market's begins with the first day that is known without a gap since, at the level of the other.
    """

    days: list[date]
    levels: list[int]
    market: list[int | None]

    is_index = True
    kept = f"&chart={INDEX}"

    @property
    def level(self) -> int:
        return self.levels[-1]

    @property
    def market_level(self) -> int | None:
        return next((level for level in reversed(self.market) if level is not None), None)

    @property
    def market_since(self) -> date | None:
        """The first day of the market's line, if that is later than the first of the chart."""
        first = next(
            (day for day, level in zip(self.days, self.market, strict=True) if level is not None), None
        )
        return None if first == self.days[0] else first

    @property
    def columns(self) -> Columns:
        return chart_data(self.days, index=self.levels, market=self.market)

    @property
    def table(self) -> list[IndexRow]:
        return thinned(
            [IndexRow(*row) for row in zip(self.days, self.levels, self.market, strict=True)], TABLE_ROWS
        )


def chart_for(user_id: int, points: list[CollectionValue], *, kind: str) -> ValueChart | IndexChart | None:
    """The chart asked for, the value's if there is no index yet; None without a second day. One query."""
    if len(points) < 2:
        return None
    if kind == INDEX and index_over(points):
        known = market_index(points[0].day, points[-1].day)
        return index_chart([point.day for point in points], levels_over(points), known)
    purchases = purchases_on([point.day for point in points], lots_of(user_id, since=points[0].day))
    return ValueChart(points, purchases)


def index_chart(days: list[date], levels: Sequence[float], known: Sequence[tuple[date, float]]) -> IndexChart:
    """Both indexes on these days. `known`: the market's, from any level."""
    market = dict(known)
    joined = next((place for place, day in enumerate(days) if day in market), None)
    unit = 1.0 if joined is None else levels[joined] / market[days[joined]]
    return IndexChart(
        days,
        [round(level * 100) for level in levels],
        [round(market[day] * unit * 100) if day in market else None for day in days],
    )
