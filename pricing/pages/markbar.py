"""Marks on one bar, each with a label beside it that meets neither another label nor its line. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, permutations, product

MIN_WIDTH = 280  # pixels of the bar on the narrowest phone; on a wider one, labels are further apart
CHARACTER, GAP = 9, 8  # pixels of a character of a label, at most, and between a label and its line
LANE = 22  # pixels between the labels of two lanes
BAR = 12  # pixels of the bar's height


@dataclass(frozen=True, slots=True)
class Label:
    """A mark at a share of the bar, and the lane of its text: 0 is next to the bar."""

    text: str
    share: float
    lane: int = 0
    ends_here: bool = False  # the text stands before its line, and not after it

    @property
    def x(self) -> str:
        return f"{self.share * 100:.2f}%"

    @property
    def anchor(self) -> str:
        return "end" if self.ends_here else "start"

    @property
    def dx(self) -> int:
        return -GAP // 2 if self.ends_here else GAP // 2

    @property
    def reach(self) -> tuple[float, float]:
        """Where the text begins and ends, in pixels of the narrowest bar."""
        at, width = self.share * MIN_WIDTH, CHARACTER * len(self.text) + GAP
        return (at - width, at) if self.ends_here else (at, at + width)

    def meets(self, other: "Label") -> bool:
        """Whether another text, or its line on the way from the bar to it, would touch this text."""
        low, high = self.reach
        if other.lane == self.lane:
            return low < other.reach[1] and other.reach[0] < high
        return other.lane > self.lane and low < other.share * MIN_WIDTH < high


def placed(texts: Sequence[tuple[str, float]]) -> list[Label]:
    """A few short labels at their shares of the bar, 0 to 1, so that nothing collides at any width of the bar."""
    arrangements = _arrangements(texts)
    first = next(arrangements)
    return next((labels for labels in chain([first], arrangements) if _is_free(labels)), first)


def _arrangements(texts: Sequence[tuple[str, float]]) -> Iterator[list[Label]]:
    """All arrangements, those with the fewest lanes first."""
    lanes = sorted(
        product(range(len(texts)), repeat=len(texts)), key=lambda each: (max(each, default=0), sum(each))
    )
    for lane_of, ends in product(lanes, product((False, True), repeat=len(texts))):
        yield [Label(*text, lane, end) for text, lane, end in zip(texts, lane_of, ends, strict=True)]


def _is_free(labels: list[Label]) -> bool:
    if any(label.reach[0] < 0 or label.reach[1] > MIN_WIDTH for label in labels):
        return False
    return not any(one.meets(other) for one, other in permutations(labels, 2))
