"""A made market: prices that jump rarely, and the collections of made users. Nothing in it is real.

Log prices are normal. Each release has its own rate of jumps a day and size of a jump, both lognormal; at each jump the
distance from its usual level shrinks by a tenth. Collections are lognormal in size, and popular releases are in many.
"""

import math
import random
from dataclasses import dataclass

DAYS_BEFORE = 400  # of movement before the first reading
SHRINK = 0.9
MAX_POPULARITY = 1_000.0


@dataclass(frozen=True, slots=True)
class Temper:
    """The shape of a market."""

    releases: int = 3_000
    price_mean: float = 2.6  # of the log price in units of the currency
    price_sd: float = 1.1
    rate: float = 0.08  # jumps a day: the median, and the sd of its log
    rate_sd: float = 0.9
    size: float = 0.15  # of a jump in log price: likewise
    size_sd: float = 0.5


FIRST = Temper()
CALMER = Temper(price_sd=0.8, rate_sd=0.6, size_sd=0.3)  # and more equal
WILDER = Temper(price_sd=1.2, rate=0.12, rate_sd=1.0, size=0.18, size_sd=0.55)


class Market:
    """The prices of one market, day by day."""

    def __init__(self, temper: Temper, *, seed: int) -> None:
        self.random = random.Random(seed)
        draw = self.random
        count = temper.releases
        self.level = [draw.gauss(temper.price_mean, temper.price_sd) for _ in range(count)]
        self.rate = [
            min(max(temper.rate * math.exp(draw.gauss(0, temper.rate_sd)), 0.003), 1.0) for _ in range(count)
        ]
        self.size = [temper.size * math.exp(draw.gauss(0, temper.size_sd)) for _ in range(count)]
        self.listings = [int(math.exp(draw.gauss(2, 1.2))) for _ in range(count)]
        self.away = [0.0] * count
        for _ in range(DAYS_BEFORE):
            self._jump()
        self.prices = self._prices()

    def move(self) -> None:
        """One day passes."""
        self._jump()
        self.prices = self._prices()

    def _jump(self) -> None:
        uniform, gauss = self.random.random, self.random.gauss
        for release, rate in enumerate(self.rate):
            if uniform() < rate:
                self.away[release] = SHRINK * self.away[release] + gauss(0, self.size[release])

    def _prices(self) -> list[int]:
        return [
            max(1, round(100 * math.exp(level + away)))
            for level, away in zip(self.level, self.away, strict=True)
        ]

    def true_variance(self, release: int) -> float:
        """Of the log price per day."""
        return self.rate[release] * self.size[release] ** 2


def made_collections(market: Market, *, users: int, seed: int) -> list[dict[int, int]]:
    """The collection of each user: {release: copies}."""
    draw = random.Random(seed)
    count = len(market.prices)
    popularity = [min(draw.paretovariate(1.2), MAX_POPULARITY) for _ in range(count)]
    collections = []
    for _ in range(users):
        size = min(max(int(200 * math.exp(draw.gauss(0, 1))), 20), 1_500, count)
        owned: dict[int, int] = {}
        while len(owned) < size:
            for release in draw.choices(range(count), weights=popularity, k=size):
                if len(owned) < size:
                    owned.setdefault(release, 1)
        collections.append(owned)
    return collections
