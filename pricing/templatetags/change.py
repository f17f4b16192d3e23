"""Why a value changed: the steps of a waterfall, with their amounts as the user has chosen."""

from collections.abc import Iterator
from dataclasses import dataclass

from django import template

from pricing.daily.index import START
from pricing.daily.like_for_like import Level
from pricing.money import format as written
from pricing.money.display import current
from pricing.pages.charts import Change
from pricing.pages.waterfall import PARTS, Step, Waterfall
from pricing.templatetags.figures import HIDDEN, decimal
from pricing.value.cascade import Source
from pricing.value.change import Part
from pricing.value.valuation import Value

register = template.Library()

# What copies are counted at, in the order in which it is told; one and many.
SOURCES = {
    Source.GRADE: "at the price for the grade",
    Source.FLOOR: "at the lowest listing",
    Source.CARRIED: "at the last price seen",
    Source.OWN: "at your own figure",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A step with its amount as text; `x` and `width` of its bar in per cent."""

    step: Step
    amount: str
    direction: str  # up, down or flat
    x: str
    width: str


@register.simple_tag
def waterfall_bars(waterfall: Waterfall, currency: str) -> list[Bar]:
    """The bars of a waterfall. The amounts as shown add up from its start to its end, in any currency."""
    return list(_bars(waterfall, currency))


def _bars(waterfall: Waterfall, currency: str) -> Iterator[Bar]:
    shown = current()
    levels = [waterfall.before_minor, *(step.after_minor for step in waterfall.steps)]
    low, high = min(levels), max(levels)
    for step in waterfall.steps:
        before, after = (shown.amount_of(level, currency) for level in (step.before_minor, step.after_minor))
        text = written.difference(after - before, shown.currency_of(currency), shown.locale)
        left, right = sorted((step.before_minor, step.after_minor))
        moved = step.after_minor - step.before_minor
        yield Bar(
            step,
            HIDDEN if shown.hides_amounts else text,
            "up" if moved > 0 else "down" if moved < 0 else "flat",
            x=_per_cent(left - low, high - low),
            width=_per_cent(right - left, high - low),
        )


def _per_cent(part: int, whole: int) -> str:
    return f"{part * 100 / whole if whole else 0:.2f}%"


@register.simple_tag
def rests_on(value: Value) -> list[tuple[int, str]]:
    """How many copies are counted at what, the most numerous first."""
    found = [
        (value.sources[source].copies, words) for source, words in SOURCES.items() if source in value.sources
    ]
    return sorted(found, key=lambda row: -row[0])


@register.simple_tag
def index_change(level: Level) -> Change:
    """The change of an index since it was 100, in thousandths."""
    return Change(round(START * 1000), round(level.level * 1000))


@register.filter
def part_label(part: str) -> str:
    return PARTS[Part(part)][0]


@register.filter
def hundredths(value: int) -> str:
    """10410 → 104.1: a level of an index, rounded half up as in charts."""
    return decimal(value / 100)
