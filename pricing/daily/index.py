"""A like-for-like index: 100 at the start, moved only by prices of copies held and priced on both days. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

START = 100.0


@dataclass(frozen=True, slots=True)
class Basket:
    """The copies held and priced by the market on two days in a row: their sums on each, in minor units."""

    before_minor: int = 0
    after_minor: int = 0

    @property
    def ratio(self) -> float:
        """The change of the index over these two days; 1 if there was no such copy."""
        return self.after_minor / self.before_minor if self.before_minor else 1.0


def chained(baskets: Iterable[Basket]) -> Iterator[float]:
    """The index after each basket."""
    level = START
    for basket in baskets:
        level *= basket.ratio
        yield level
