"""The least index at which a scheduled run fetches a release, so that all runs together fit the request limit. Pure.

A release with urgency u reaches the index t after t/u days. It is read when it has, but not before the shortest
interval of its owners and at the latest after DEADLINE. Over all releases this is a number of requests a day, which
falls as t grows; the threshold is where it equals what the limit allows.
"""

import math
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

# Older readings are fetched before all others: after PRICE_COUNTS_FOR, five days later, the price would not count.
DEADLINE = timedelta(days=25)
RESERVED_SHARE = 0.1  # of all requests, for imports, retries and interactive requests

STEPS = 20  # of urgency for each factor of 10
BISECTIONS = 60
LOWEST, HIGHEST = 1e-12, 1e6  # indices between which the threshold is searched


def demand_key(*, interval_hours: int, urgency: float) -> str:
    """The bin of a release in the count of demand: JSON objects have text keys."""
    step = round(math.log10(urgency) * STEPS) if urgency > 0 else -math.inf
    return f"{interval_hours}:{step}"


def _bin(key: str) -> tuple[float, float]:
    """The interval in days and the urgency of a bin."""
    hours, _, step = key.partition(":")
    return int(hours) / 24, 10 ** (float(step) / STEPS)


def wanted_per_day(demand: Mapping[str, int]) -> float:
    """The requests a day that the intervals ask for."""
    bins = Counter[float]()
    for key, releases in demand.items():
        bins[_bin(key)[0]] += releases
    return sum(releases / days for days, releases in bins.items())


def threshold_for(demand: Mapping[str, int], *, allowed_per_day: float) -> float:
    """The threshold at which the releases of `demand` ask for `allowed_per_day`; 0 if all their intervals fit."""
    usable = allowed_per_day * (1 - RESERVED_SHARE)
    if wanted_per_day(demand) <= usable:
        return 0.0
    bins = [(*_bin(key), releases) for key, releases in demand.items()]
    low, high = math.log(LOWEST), math.log(HIGHEST)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if _requests_per_day(bins, math.exp(middle)) > usable:
            low = middle
        else:
            high = middle
    return math.exp(high)


def _requests_per_day(bins: list[tuple[float, float, int]], threshold: float) -> float:
    latest = DEADLINE / timedelta(days=1)
    return sum(
        releases / max(interval, min(threshold / urgency, latest) if urgency else latest)
        for interval, urgency, releases in bins
    )
