"""Marks on one bar, each with a label beside it that meets neither another label nor its line. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations, product

MIN_WIDTH = 280  # pixels of the bar on the narrowest phone; on a wider one, labels are further apart
CHARACTER, GAP = 9, 8  # pixels of a character of a label, at most, and between a label and its line
LANE = 22  # pixels between the labels of two lanes
BAR = 12  # pixels of the bar's height


@dataclass(frozen=True, slots=True)
class Label:
    """A mark at a share of the bar, its text in a lane of its own: 0 is next to the bar."""

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

    def crosses(self, other: "Label") -> bool:
        """Whether the line of another mark, on its way to its own label, passes through this text."""
        low, high = self.reach
        return other.lane > self.lane and low < other.share * MIN_WIDTH < high


def placed(texts: Sequence[tuple[str, float]]) -> list[Label]:
    """A few short labels at their shares of the bar, 0 to 1, so that nothing collides at any width of the bar."""
    return min(_arrangements(texts), key=_collisions, default=[])


def _arrangements(texts: Sequence[tuple[str, float]]) -> Iterator[list[Label]]:
    for lanes in permutations(range(len(texts))):
        for ends in product((False, True), repeat=len(texts)):
            yield [Label(*text, lane, end) for text, lane, end in zip(texts, lanes, ends, strict=True)]


def _collisions(labels: list[Label]) -> int:
    outside = sum(label.reach[0] < 0 or label.reach[1] > MIN_WIDTH for label in labels)
    return outside + sum(label.crosses(other) for label in labels for other in labels)
