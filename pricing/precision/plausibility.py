"""Whether a reading is plausible enough to count. Pure. docs/refresh.md, "Held back".

One wrong figure can be a fifth of a total: a price in another currency, a listing of a sleeve only, a slip of the
decimal point. Such a reading is doubted until a reading of another UTC day agrees with it.
"""

from dataclasses import dataclass
from datetime import date

from pricing.models.prices import Doubt

MAX_JUMP = 3.0  # a price that moves by more than this factor, either way, is doubted
MIN_LISTINGS = 3  # with fewer for sale, the sale of one copy moves the lowest price that far
# Discogs' suggestion for Near Mint is 5 times the lowest price in the median, and 9 times with more than 50 for sale.
MAX_SUGGESTED = 17.0
MIN_FOR_SALE = 20  # with fewer, suggestions say too little
# Two readings agree within this factor. An honest price moves by 6 % a day, and by this factor within a month; two
# wrong figures, spread over factors of 5 to 150, agree by chance about once in nine times.
AGREES_WITHIN = 1.5


@dataclass(frozen=True, slots=True)
class Before:
    """What was known of a release before a reading. Amounts in minor units of one currency."""

    last_minor: int | None = None  # the newest price that counted
    listings: int | None = None  # for sale at the reading before
    doubted_minor: int | None = None  # the newest doubted reading, if none that counts came after it
    doubted_on: date | None = None  # its UTC day


def ratio(one: int, other: int) -> float:
    """By what factor two amounts differ, at least 1; an amount of 0 counts as one minor unit."""
    small, large = sorted((max(one, 1), max(other, 1)))
    return large / small


def agree(one: int, other: int) -> bool:
    return ratio(one, other) <= AGREES_WITHIN


def is_confirmed(amount_minor: int, *, day: date, before: Before) -> bool:
    """Whether the reading agrees with a doubted one of another day, so that both are believed from now on."""
    if before.doubted_minor is None or before.doubted_on is None:
        return False
    return day > before.doubted_on and agree(amount_minor, before.doubted_minor)


def doubt_of(
    amount_minor: int, *, day: date, for_sale: int | None, suggested_minor: int | None, before: Before
) -> Doubt:
    """Why a reading does not count yet; NONE if it counts. `suggested_minor`: for Near Mint, None if unknown."""
    if is_confirmed(amount_minor, day=day, before=before):
        return Doubt.NONE
    if _has_jumped(amount_minor, before):
        return Doubt.JUMP
    if suggested_minor is not None and (for_sale or 0) >= MIN_FOR_SALE:
        return _against_suggestion(amount_minor, suggested_minor, before)
    return Doubt.NONE


def _has_jumped(amount_minor: int, before: Before) -> bool:
    if before.last_minor is None or ratio(amount_minor, before.last_minor) <= MAX_JUMP:
        return False
    # The listings of a doubted reading prove nothing: there were enough when the doubt began.
    return before.doubted_minor is not None or (before.listings or 0) >= MIN_LISTINGS


def _against_suggestion(amount_minor: int, suggested_minor: int, before: Before) -> Doubt:
    """Doubt a price far below the suggestion, unless the last price that counted was as far below it."""
    limit = suggested_minor / MAX_SUGGESTED
    if amount_minor >= limit or (before.last_minor is not None and before.last_minor < limit):
        return Doubt.NONE
    return Doubt.BELOW_SUGGESTION
