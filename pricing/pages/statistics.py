"""Statistics of a release over a range of days. Pure.

A day is observed if it has a reading that is believed. Amounts are in minor units of one currency.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

from pricing.pages.charts import Change, change
from pricing.precision.estimator import PRIOR_DAYS, Learned, variance_per_day

YEAR_DAYS = 365
PLENTY = 100  # copies for sale for each 100 who want it: with more, none are scarce
MAX_VOLATILITY = 1000  # per cent per year; a larger figure says no more


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a release on a day; None where it is not known, or doubted."""

    day: date
    amount_minor: int | None = None
    listings: int | None = None
    wants: int | None = None
    is_observed: bool = True  # not if its price is doubted


@dataclass(frozen=True, slots=True)
class Movement:
    """How the price of a release has moved so far, as `precision.estimator` has learned it."""

    learned: Learned
    prior: float

    @property
    def is_own(self) -> bool:
        """Whether the release's own readings say more than those of similar releases."""
        return self.learned.exposure_days >= PRIOR_DAYS


@dataclass(frozen=True, slots=True)
class Statistics:
    """`now_minor`: the price that counts now, also if it is carried. The other amounts are those of observed days."""

    now_minor: int | None
    low_minor: int | None
    low_day: date | None
    median_minor: int | None
    high_minor: int | None
    high_day: date | None
    change: Change | None
    listings: Change | None
    wants: Change | None
    days_observed: int
    days_priced: int
    days: int
    volatility: int | None  # per cent per year
    is_volatility_own: bool


def statistics_of(
    readings: Sequence[Reading],
    *,
    newest: Reading | None,
    now_minor: int | None,
    start: date,
    today: date,
    movement: Movement | None,
) -> Statistics:
    """The statistics of the readings of a range, and of the newest one, which can be older than the range."""
    days = {reading.day: reading for reading in (*readings, *([newest] if newest else []))}
    ordered = [days[day] for day in sorted(days)]
    priced = [(reading.amount_minor, reading.day) for reading in ordered if reading.amount_minor is not None]
    amounts = [amount for amount, _ in priced]
    low, high = (found(priced, default=(None, None), key=lambda each: each[0]) for found in (min, max))
    in_range = [reading for reading in ordered if start <= reading.day <= today]
    return Statistics(
        now_minor=now_minor,
        low_minor=low[0],
        low_day=low[1],
        median_minor=middle(amounts),
        high_minor=high[0],
        high_day=high[1],
        change=change(amounts[0], now_minor) if len(amounts) > 1 else None,
        listings=_trend([reading.listings for reading in ordered]),
        wants=_trend([reading.wants for reading in ordered]),
        days_observed=sum(1 for reading in in_range if reading.is_observed),
        days_priced=sum(1 for reading in in_range if reading.amount_minor is not None),
        days=max(1, (today - start).days + 1),
        volatility=volatility(movement) if movement else None,
        is_volatility_own=movement is not None and movement.is_own,
    )


def middle(amounts: Sequence[int]) -> int | None:
    """The median; between two amounts, their mean, a half rounded upwards."""
    return math.floor(median(amounts) + 0.5) if amounts else None


def _trend(counts: Sequence[int | None]) -> Change | None:
    """From the first known count to the last; None unless there are two."""
    known = [count for count in counts if count is not None]
    return change(known[0], known[-1]) if len(known) > 1 else None


def volatility(movement: Movement) -> int:
    """The rise in per cent that one standard deviation of a year's movement is: exp(√(365 v)) − 1.

    v is the variance of the log price per day. The log price is taken to move independently from day to day; where a
    price returns to its level, a year moves it less than this says. The fall of the same size is to 1 / (1 + rise).
    """
    variance = variance_per_day(movement.learned, prior=movement.prior)
    rise = math.expm1(min(math.sqrt(YEAR_DAYS * variance), math.log(MAX_VOLATILITY)))
    return min(MAX_VOLATILITY, round(rise * 100))


def wants_per_have(want: int | None, have: int | None) -> int | None:
    """People who want it for each 100 who have it."""
    return None if want is None or not have else round(want * 100 / have)


def scarcity(for_sale: int | None, want: int | None) -> int | None:
    """Copies for sale for each 100 who want it, at most PLENTY: the fewer, the scarcer. None without wants."""
    return None if for_sale is None or not want else min(PLENTY, round(for_sale * 100 / want))
