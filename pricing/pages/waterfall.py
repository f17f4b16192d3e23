"""Why a value changed, as steps from one value to another, and its index. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pricing.daily.index import START, Basket, chained
from pricing.daily.parts import Moved
from pricing.models import CollectionValue
from pricing.pages.charts import Change
from pricing.value.change import Part

# The label of each part, and what it means, in the order in which they are shown.
PARTS = {
    Part.PRICE: ("Prices", "the market moved"),
    Part.ADDED: ("Added", "copies that came"),
    Part.REMOVED: ("Removed", "copies that left"),
    Part.EXPIRED: ("No longer for sale", "their last price has stopped counting"),
    Part.OWN: ("Your own figures", "set, changed or withdrawn, and copies graded anew"),
    Part.COVERAGE: ("Coverage", "priced for the first time or again, held back, or counted"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a change: the value before and after it, in minor units, and its copies."""

    part: Part
    label: str
    why: str
    copies: int
    before_minor: int
    after_minor: int


@dataclass(frozen=True, slots=True)
class Waterfall:
    before_minor: int
    after_minor: int
    steps: list[Step]


def waterfall_of(parts: Mapping[Part, Moved], *, before_minor: int) -> Waterfall:
    """The steps from a value on; parts without any change are left out."""
    steps, level = [], before_minor
    for part, (label, why) in PARTS.items():
        moved = parts.get(part)
        if moved is None or not moved.copies:
            continue
        steps.append(Step(part, label, why, moved.copies, level, level + moved.moved_minor))
        level += moved.moved_minor
    return Waterfall(before_minor, level, steps)


def index_over(points: Sequence[CollectionValue]) -> Change | None:
    """The like-for-like index at the first point and at the last, in hundredths; None if no copy was priced twice."""
    if not any(point.like_minor for point in points[1:]):
        return None
    return Change(round(START * 100), round(levels_over(points)[-1] * 100))


def levels_over(points: Sequence[CollectionValue]) -> list[float]:
    """The like-for-like index at each point, 100 at the first."""
    baskets = [Basket(point.like_minor, point.like_minor + point.price_minor) for point in points[1:]]
    return [START, *chained(baskets)]
