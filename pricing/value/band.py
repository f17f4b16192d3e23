"""How sure a total is: its 80 % band, what it comes from, and which requests would narrow it. Pure. docs/refresh.md.

The log price of a release has a variance of `v` per day, so a reading of age `a` days makes the worth of its copies
uncertain by a variance of `worth² × v × a`. Releases move independently, so these variances add up.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import NamedTuple

from pricing.money.format import significant
from pricing.precision.estimator import WIDTH_80, half_width

MIN_SHOWN = 0.005  # a narrower half-width, as a share of the total, says nothing
# Requests that narrow a band: as many as leave a quarter of its width, but no more than these.
NARROW_TO = 0.25
MAX_REQUESTS = 100
MAX_SECONDS = 180.0  # of the request limit
MIN_GAIN = 0.1  # of the half-width: less is not worth the requests


class Part(NamedTuple):
    """The copies of one release whose price counts; `variance` is that of the log price, v × age."""

    release_id: int
    worth_minor: int
    variance: float

    @property
    def squared(self) -> float:
        """The variance of the worth, in squared minor units."""
        return float(self.worth_minor) ** 2 * self.variance


@dataclass(frozen=True, slots=True)
class Band:
    """The band around a total, in minor units, and the least number of prices that most of its variance comes from."""

    total_minor: int
    half_minor: float
    sources: int

    @property
    def is_shown(self) -> bool:
        return self.half_minor >= MIN_SHOWN * self.total_minor and self.half_minor > 0

    @property
    def low_minor(self) -> int:
        return max(0, self.total_minor - significant(self.half_minor))

    @property
    def high_minor(self) -> int:
        return self.total_minor + significant(self.half_minor)


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Requests that narrow a band the most, the largest gain first, and its half-width before and after them."""

    release_ids: tuple[int, ...]
    before_minor: float
    after_minor: float

    @property
    def requests(self) -> int:
        return len(self.release_ids)


def band_of(parts: Iterable[Part], *, scale: float, market_factor: float = 0.0) -> Band | None:
    """The band of the total of these parts; None without any.

    market_factor: the standard deviation of a change of the log price that all releases have in common.
    """
    parts = list(parts)
    if not parts:
        return None
    shares = sorted((part.squared for part in parts), reverse=True)
    total = sum(part.worth_minor for part in parts)
    common = (total * market_factor) ** 2
    variance = math.fsum(shares)
    half = WIDTH_80 * math.sqrt(scale * variance + common)
    return Band(total, half, _sources(shares, variance))


def _sources(shares: Sequence[float], variance: float) -> int:
    """How many of the largest shares make up over half of the variance."""
    reached = 0.0
    for number, share in enumerate(shares, start=1):
        reached += share
        if reached > variance / 2:
            return number
    return 0


def max_requests(*, limit: float, window_seconds: float) -> int:
    """How many requests a narrowing may take at a limit of so many in a window."""
    return min(MAX_REQUESTS, int(limit * MAX_SECONDS / window_seconds))


def narrowing_of(parts: Iterable[Part], *, scale: float, limit: int) -> Narrowing | None:
    """The requests that narrow a band to a quarter, at most `limit`; None if they would gain little."""
    parts = list(parts)
    variance = left = math.fsum(part.squared for part in parts)
    chosen: list[int] = []
    for part in nlargest(limit, parts, key=lambda part: (part.squared, -part.release_id)):
        if left <= variance * NARROW_TO**2:
            break
        chosen.append(part.release_id)
        left -= part.squared
    before, after = half_width(variance, scale=scale), half_width(left, scale=scale)
    if not chosen or after > before * (1 - MIN_GAIN):
        return None
    return Narrowing(tuple(chosen), before, after)
