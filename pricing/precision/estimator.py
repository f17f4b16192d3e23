"""How fast a release's price moves, learned from readings at irregular times, and how urgent the next reading is. Pure.

The log price moves by rare jumps with a variance of `v` per day, so a reading of age `a` days has an error of variance
`v x a`. The error of an owner's total is then uncertain by the sum of (copies x price)^2 x v x a; minimising its mean
over the owners, each relative to the owner's total, gives the weight and the index below. Sources: Olston and Widom,
"Best-effort cache synchronization with source cooperation" (SIGMOD 2002) and "Offering a precision-performance
tradeoff" (VLDB 2000); Cho and Garcia-Molina, "Estimating frequency of change" (TOIT 2003); Kolobov et al., "Staying up
to date with online content changes" (NeurIPS 2019); Tripathi and Modiano, "A Whittle index approach to minimizing
functions of age of information" (2019).
"""

import math
from datetime import timedelta
from typing import NamedTuple

WIDTH_80 = 1.28  # standard deviations of a normal distribution to either side that hold 80 % of it
PRIOR_DAYS = 30.0  # the weight of the prior, in days of observation
HALF_LIFE_DAYS = 180.0  # after which an observation counts half
# The largest change of the log price that counts: beyond a factor of 3 a price says little about the usual movement.
MAX_CHANGE = math.log(3)
DAY_SECONDS = timedelta(days=1).total_seconds()


class Learned(NamedTuple):
    """The sum of the squared changes of the log price, and the days over which they happened, both faded."""

    s2: float = 0.0
    exposure_days: float = 0.0


def in_days(time: timedelta) -> float:
    return time.total_seconds() / DAY_SECONDS


def log_change(before_minor: int, after_minor: int) -> float:
    """The change of the log price; a price of 0 counts as one minor unit."""
    return math.log(max(after_minor, 1) / max(before_minor, 1))


def learn(known: Learned, *, before_minor: int, after_minor: int, days: float) -> Learned:
    """Add two consecutive prices that were read `days` apart. Without time between them nothing is learned."""
    if days <= 0:
        return known
    fade = 0.5 ** (days / HALF_LIFE_DAYS)
    change = min(abs(log_change(before_minor, after_minor)), MAX_CHANGE)
    return Learned(known.s2 * fade + change * change, known.exposure_days * fade + days)


def variance_per_day(known: Learned, *, prior: float) -> float:
    """The variance of the log price per day."""
    return (PRIOR_DAYS * prior + known.s2) / (PRIOR_DAYS + known.exposure_days)


def share_squared(copies: int, price_minor: float, total_minor: float) -> float:
    """What one owner adds to the weight of a release: its share of that owner's total, squared."""
    share = copies * price_minor / total_minor if total_minor > 0 else 0.0
    return share * share


def urgency(weight: float, variance: float) -> float:
    """The stored part of the index."""
    return math.sqrt(weight * variance)


def index(age_days: float, urgency: float) -> float:
    """The next request goes to the release with the largest index."""
    return max(age_days, 0.0) * urgency


def half_width(variance: float, *, scale: float) -> float:
    """The half-width of the 80 % band of a sum with this variance, which calibration multiplies by `scale`."""
    return WIDTH_80 * math.sqrt(scale * max(variance, 0.0))
