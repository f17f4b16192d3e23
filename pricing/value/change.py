"""The change of a value between two moments, split by cause without a remainder. Pure.

`V(b) - V(a) = price + added + removed + expired + own + coverage`, in minor units of one currency, summed over copies.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum

from pricing.value.cascade import MARKET, CopyValue, Source
from pricing.value.freshness import LEFT_THE_MARKET


class Part(StrEnum):
    """Why the value of a copy changed."""

    PRICE = "price"  # the market moved
    ADDED = "added"
    REMOVED = "removed"
    EXPIRED = "expired"  # no longer for sale, or gone: the last price has stopped counting
    OWN = "own"  # the owner set, changed or withdrew a figure, or graded the copy anew
    COVERAGE = "coverage"  # priced for the first time or again, by another source, held back, released


@dataclass(frozen=True, slots=True)
class Split:
    """The change of a total by cause, in minor units.

    like_minor: the value before of the copies in `price`, which a change of prices is a share of.
    """

    price: int = 0
    added: int = 0
    removed: int = 0
    expired: int = 0
    own: int = 0
    coverage: int = 0
    like_minor: int = 0

    @property
    def total(self) -> int:
        return sum(getattr(self, part.value) for part in Part)

    def __add__(self, other: "Split") -> "Split":
        return Split(
            **{field.name: getattr(self, field.name) + getattr(other, field.name) for field in fields(self)}
        )


# A copy at a moment; None: it was not held.
Held = CopyValue | None


def part_of(before: Held, after: Held) -> tuple[Part, int]:
    """The cause of a copy's change, and its amount."""
    return _cause_of(before, after), _amount(after) - _amount(before)


def _cause_of(before: Held, after: Held) -> Part:
    if before is None or after is None:
        return Part.ADDED if before is None else Part.REMOVED
    if Source.OWN in (before.source, after.source):
        return Part.OWN
    if before.source in MARKET and after.source in MARKET:
        return _cause_between(before, after)
    is_lost = before.source in MARKET and after.state in LEFT_THE_MARKET
    return Part.EXPIRED if is_lost else Part.COVERAGE


def _cause_between(before: CopyValue, after: CopyValue) -> Part:
    """Between two market prices: a figure of the other kind is no movement of the market."""
    if (before.source == Source.GRADE) != (after.source == Source.GRADE):
        return Part.COVERAGE
    return Part.PRICE if before.factor == after.factor else Part.OWN


def split_of(copies: Iterable[tuple[Held, Held]]) -> Split:
    """The split over copies, each as it was before and after."""
    sums = Counter[str]()
    for before, after in copies:
        part, change = part_of(before, after)
        sums[part.value] += change
        if part == Part.PRICE:
            sums["like_minor"] += _amount(before)
    return Split(**sums)


def _amount(copy: Held) -> int:
    return (copy.amount_minor or 0) if copy else 0
