"""The price of a release in each media grade, as a ladder of bars with the lowest listing among them. Pure.

Discogs' suggestions follow one grid, so the suggestion for Near Mint gives all eight. The guides' older rule, half of
Near Mint for Very Good Plus and a quarter for Very Good, is the lower edge of what sellers ask.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from pricing.value.cascade import GRID, at_grade, factor_of

SHORT = dict(zip(GRID, ("M", "NM", "VG+", "VG", "G+", "G", "F", "P"), strict=True))
# The guides' rule: per cent of the price in Near Mint.
GUIDES = {"Very Good Plus": 50, "Very Good": 25}


@dataclass(frozen=True, slots=True)
class Rung:
    """A grade, or the lowest listing, which has none. `share`: the length of its bar, in per cent of the width.

    copies: the owner's in that grade. edge_minor and edge: the guides' price and its place; None without a rule.
    """

    grade: str
    amount_minor: int
    share: float
    copies: int = 0
    edge_minor: int | None = None
    edge: float | None = None

    @property
    def short(self) -> str:
        return SHORT.get(self.grade, "")

    @property
    def is_listing(self) -> bool:
        return not self.grade

    @property
    def edge_percent(self) -> int | None:
        return GUIDES.get(self.grade)


@dataclass(frozen=True, slots=True)
class Ladder:
    """`rungs`: highest price first, the lowest listing below grades of the same price. `ungraded`: copies."""

    rungs: tuple[Rung, ...]
    ungraded: int = 0

    @property
    def listing(self) -> Rung | None:
        return next((rung for rung in self.rungs if rung.is_listing), None)

    @property
    def edges(self) -> list[Rung]:
        """The rungs for which the guides have a rule."""
        return [rung for rung in self.rungs if rung.edge_minor is not None]


def ladder_of(
    near_mint_minor: int | None, *, lowest_minor: int | None, grades: Iterable[str]
) -> Ladder | None:
    """The ladder of a release; None without a suggestion. `grades`: those of the owner's copies."""
    if near_mint_minor is None:
        return None
    owned = Counter(factor_of(grade) for grade in grades)
    amounts = {grade: at_grade(near_mint_minor, factor) for grade, factor in GRID.items()}
    widest = max(*amounts.values(), lowest_minor or 0, 1)
    rungs = [
        _rung(grade, amount, near_mint_minor, owned[GRID[grade]], widest) for grade, amount in amounts.items()
    ]
    if lowest_minor is not None:
        rungs.append(Rung("", lowest_minor, lowest_minor * 100 / widest))
    # The sort is stable, so equal amounts keep the order of the grid, and the listing comes last.
    return Ladder(tuple(sorted(rungs, key=lambda rung: -rung.amount_minor)), owned[None])


def _rung(grade: str, amount: int, near_mint_minor: int, copies: int, widest: int) -> Rung:
    rule = GUIDES.get(grade)
    edge = None if rule is None else (2 * near_mint_minor * rule + 100) // 200
    return Rung(
        grade, amount, amount * 100 / widest, copies, edge, None if edge is None else edge * 100 / widest
    )
