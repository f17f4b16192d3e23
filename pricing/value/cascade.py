"""The value of one copy, by cascade: the owner's own figure, the price for its grade, the lowest listing, the last one.

Pure. Each value says which of these it comes from and how good the evidence is. docs/valuation.md has examples.
"""

from dataclasses import dataclass
from enum import StrEnum

from collections_app.models import Preferences
from pricing.value.freshness import PRICED, Freshness

Basis = Preferences.Basis

MANY_LISTINGS = 20  # a lowest listing among so many is good evidence
# Discogs' suggestions follow one grid, by grade; so one number, that for Near Mint, is enough for all.
NEAR_MINT = 17
GRID = {
    "Mint": 19,
    "Near Mint": NEAR_MINT,
    "Very Good Plus": 13,
    "Very Good": 9,
    "Good Plus": 5,
    "Good": 3,
    "Fair": 2,
    "Poor": 1,
}
# As copies have them; a bare name too, as some owners' own fields have.
ABBREVIATIONS = ("M", "NM or M-", "VG+", "VG", "G+", "G", "F", "P")
FACTORS = {
    **GRID,
    **{f"{name} ({short})": GRID[name] for name, short in zip(GRID, ABBREVIATIONS, strict=True)},
}


class Source(StrEnum):
    """Where a value comes from."""

    OWN = "own"
    GRADE = "grade"
    FLOOR = "floor"
    CARRIED = "carried"  # the last price, while none is for sale or the release is blocked
    NONE = "none"


MARKET = (Source.GRADE, Source.FLOOR, Source.CARRIED)


class Evidence(StrEnum):
    OWN = "own"
    STRONG = "L1"  # fresh, and many for sale
    WEAK = "L2"  # stale, or few for sale
    LAST_SEEN = "L3"
    NONE = ""


# The evidence of the other sources depends on the listings.
_FIXED = {Source.OWN: Evidence.OWN, Source.CARRIED: Evidence.LAST_SEEN}


@dataclass(frozen=True, slots=True)
class CopyFacts:
    """What is known of a copy at a moment. Amounts are in minor units of one currency."""

    state: Freshness = Freshness.NEVER_FETCHED  # of its release's price, for its owner
    floor_minor: int | None = (
        None  # the lowest listing, or the last one; it counts if `state` is one of PRICED
    )
    num_for_sale: int | None = None
    own_minor: int | None = None
    grade: str = ""  # Discogs' name of the media grade: "Very Good Plus (VG+)"
    near_mint_minor: int | None = None  # what Discogs suggests for Near Mint
    is_left_out: bool = False  # its owner never counts the market's figures


@dataclass(frozen=True, slots=True)
class CopyValue:
    """The value of a copy; `amount_minor` is None exactly when `source` is NONE. `factor`: its grade's, by grade."""

    amount_minor: int | None
    source: Source
    evidence: Evidence = Evidence.NONE
    state: Freshness = Freshness.NEVER_FETCHED
    factor: int | None = None


def factor_of(grade: str) -> int | None:
    """The place of a grade in the grid, or None if it is not one of Discogs' grades."""
    return FACTORS.get(grade)


def at_grade(near_mint_minor: int, factor: int) -> int:
    """What a grade is worth if Near Mint is worth this: to the nearest minor unit, a half upwards."""
    return (2 * near_mint_minor * factor + NEAR_MINT) // (2 * NEAR_MINT)


def value_of_copy(facts: CopyFacts, basis: Basis) -> CopyValue:
    """The first of own → grade (on that basis) → floor → carried that exists."""
    state = facts.state
    if facts.own_minor is not None:
        return CopyValue(facts.own_minor, Source.OWN, Evidence.OWN, state)
    factor = _factor_that_counts(facts) if basis == Basis.GRADE else None
    if factor is not None:
        amount = at_grade(facts.near_mint_minor or 0, factor)
        return CopyValue(amount, Source.GRADE, _evidence(facts, Source.GRADE), state, factor)
    if state not in PRICED:
        return CopyValue(None, Source.NONE, state=state)
    source = Source.CARRIED if state == Freshness.CARRIED else Source.FLOOR
    return CopyValue(facts.floor_minor, source, _evidence(facts, source), state)


def _factor_that_counts(facts: CopyFacts) -> int | None:
    """The grade's place in the grid, if a suggestion counts for this copy."""
    if facts.near_mint_minor is None or facts.is_left_out or facts.state == Freshness.GONE:
        return None
    return factor_of(facts.grade)


def _evidence(facts: CopyFacts, source: Source) -> Evidence:
    is_strong = facts.state == Freshness.FRESH and (facts.num_for_sale or 0) >= MANY_LISTINGS
    return evidence_of(source, is_strong=is_strong)


def evidence_of(source: Source, *, is_strong: bool) -> Evidence:
    """How good the evidence of a source is; is_strong: the lowest listing is fresh, and there are many."""
    return _FIXED.get(source) or (Evidence.STRONG if is_strong else Evidence.WEAK)
