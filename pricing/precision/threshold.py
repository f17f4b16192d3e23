"""The least index at which a scheduled run fetches a release, so that all runs together fit the request limit. Pure.

A release with urgency u reaches the index t at the age t/u. It is read by the next run of one of its owners after that,
and at the latest when it is older than DEADLINE. From the age, urgency and interval of every release follows how many
are read in the next day, which falls as t grows; the threshold is where that number equals what the limit allows.
"""

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from pricing.precision.estimator import in_days

# Older readings are fetched before all others: after PRICE_COUNTS_FOR, five days later, the price would not count.
DEADLINE = timedelta(days=25)
RESERVED_SHARE = 0.1  # of all requests, for imports, retries and interactive requests

AGE_STEPS = 4  # of age for each day
URGENCY_STEPS = 12  # of urgency for each factor of 10
BISECTIONS = 25
LOWEST, HIGHEST = 1e-12, 1e6  # indices between which the threshold is searched
HORIZON_DAYS = 1.0


class Alike(NamedTuple):
    """Releases of about the same age and urgency, with the same interval, in days."""

    age_days: float
    urgency: float
    interval_days: float

    @classmethod
    def of(cls, *, age_days: float, urgency: float, interval_hours: int) -> "Alike":
        latest = in_days(DEADLINE) + HORIZON_DAYS
        # Rounded down: rounded up to a whole interval, it would seem to have met its run already.
        age = math.floor(min(max(age_days, 0.0), latest) * AGE_STEPS) / AGE_STEPS
        steps = round(math.log10(urgency) * URGENCY_STEPS) if urgency > 0 else None
        return cls(age, 0.0 if steps is None else 10 ** (steps / URGENCY_STEPS), interval_hours / 24)

    def reads(self, threshold: float) -> int:
        """How often each is read within the horizon. Its owners' runs meet it at ages of whole intervals."""
        latest = in_days(DEADLINE)
        waits = min(threshold / self.urgency, latest) if self.urgency else latest
        until_run = self.interval_days - self.age_days % self.interval_days
        runs_left_out = max(math.ceil((waits - self.age_days - until_run) / self.interval_days), 0)
        first = until_run + runs_left_out * self.interval_days
        if first > HORIZON_DAYS:
            return 0
        period = self.interval_days * max(math.ceil(waits / self.interval_days), 1)
        return 1 + int((HORIZON_DAYS - first) / period)


def wanted_per_day(demand: Mapping[Alike, int]) -> float:
    """The requests a day that the intervals ask for."""
    return sum(releases / alike.interval_days for alike, releases in demand.items())


def threshold_for(demand: Mapping[Alike, int], *, allowed_per_day: float) -> float:
    """The threshold at which the releases of `demand` need `allowed_per_day` requests; 0 if their intervals fit."""
    usable = allowed_per_day * (1 - RESERVED_SHARE)
    if _reads(demand, 0.0) <= usable:
        return 0.0
    low, high = math.log(LOWEST), math.log(HIGHEST)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if _reads(demand, math.exp(middle)) > usable:
            low = middle
        else:
            high = middle
    return math.exp(high)


def _reads(demand: Mapping[Alike, int], threshold: float) -> float:
    return sum(releases * alike.reads(threshold) for alike, releases in demand.items())
