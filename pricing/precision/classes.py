"""Classes of releases with a similar number of listings and a similar price, and their priors. Pure.

A release that was read once begins with the variance of its class, and one that never had a price is expected to cost
the median of those with as many listings.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

from pricing.precision.estimator import Learned

# The bands begin at these values.
LISTINGS = (0, 1, 3, 10, 30)
PRICES = (0, 500, 1_000, 2_500, 10_000)  # minor units
CLASS_DAYS = 300.0  # the weight of all releases in the prior of a class, in days of observation
ALL_DAYS = 300.0  # the weight of the default in the variance of all releases

Key = tuple[int, int]


def listings_band(num_for_sale: int | None) -> int:
    return bisect_right(LISTINGS, num_for_sale or 0) - 1


def key_of(num_for_sale: int | None, price_minor: int) -> Key:
    return listings_band(num_for_sale), bisect_right(PRICES, price_minor) - 1


@dataclass(slots=True)
class Members:
    """The sums over the releases of a class, and their last prices in minor units."""

    s2: float = 0.0
    exposure_days: float = 0.0
    prices: "array[int]" = field(default_factory=lambda: array("q"))

    def add(self, price_minor: int, known: Learned) -> None:
        self.prices.append(price_minor)
        self.s2 += known.s2
        self.exposure_days += known.exposure_days


@dataclass(frozen=True, slots=True)
class Prior:
    """What is known of a class: variance of the log price per day, and percentiles of its prices in minor units."""

    releases: int
    s2: float
    exposure_days: float
    variance: float
    p10_minor: int
    median_minor: int
    p90_minor: int


def overall_variance(classes: Iterable[Members], *, default: float) -> float:
    """The variance per day over all releases, which the default dominates until enough was observed."""
    members = list(classes)
    s2, days = sum(each.s2 for each in members), sum(each.exposure_days for each in members)
    return (ALL_DAYS * default + s2) / (ALL_DAYS + days)


def priors_of(classes: dict[Key, Members], *, default: float) -> dict[Key, Prior]:
    """The prior of each class that has members."""
    overall = overall_variance(classes.values(), default=default)
    return {key: _prior(members, overall) for key, members in classes.items() if members.prices}


def _prior(members: Members, overall: float) -> Prior:
    prices = sorted(members.prices)
    return Prior(
        releases=len(prices),
        s2=members.s2,
        exposure_days=members.exposure_days,
        variance=(members.s2 + CLASS_DAYS * overall) / (members.exposure_days + CLASS_DAYS),
        p10_minor=percentile(prices, 0.1),
        median_minor=percentile(prices, 0.5),
        p90_minor=percentile(prices, 0.9),
    )


def percentile(ordered: list[int], share: float) -> int:
    """The value at this share, 0 to 1, of values in order: the nearest rank."""
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
