"""A made market replayed day by day with the product's own functions: what is learned, what is read, what is predicted.

Log prices move by rare jumps. Each day the releases with the largest index are read, as many as the budget allows;
what was learned from earlier readings alone predicts what they find, and how far each owner's total is from the truth.
"""

import math
from collections import defaultdict
from dataclasses import dataclass, field
from random import Random

from pricing.models.prices import DEFAULT_VARIANCE
from pricing.precision.calibration import MIN_VARIANCE, Calibrated, z_squared
from pricing.precision.classes import Members, key_of, priors_of
from pricing.precision.estimator import (
    Learned,
    in_days,
    index,
    learn,
    share_squared,
    urgency,
    variance_per_day,
)
from pricing.precision.threshold import DEADLINE
from pricing.value.band import Band, Part, band_of

LISTINGS = 5  # of every release
DEADLINE_DAYS = in_days(DEADLINE)


@dataclass(frozen=True)
class Temper:
    """Log prices: mean 2.6 (dollars) and `price_sd`. Jumps a day and their sizes: lognormal around these medians."""

    jumps: float = 0.08
    jumps_sd: float = 0.9
    size: float = 0.15
    size_sd: float = 0.5
    price_sd: float = 1.1


@dataclass
class Release:
    """The true price in minor units, and what the site knows: the stored price, when it was read, what was learned."""

    base: float
    jumps: float
    size: float
    next_jump: float
    level: float = 0.0
    stored: int = 0
    read_at: float = 0.0
    known: Learned = field(default_factory=Learned)
    prior: float = DEFAULT_VARIANCE
    owners: list[int] = field(default_factory=list)

    def price_at(self, day: float, random: Random) -> int:
        while self.next_jump <= day:
            self.level = 0.9 * self.level + random.gauss(0, self.size)
            self.next_jump += random.expovariate(self.jumps)
        return max(1, round(self.base * math.exp(self.level)))

    @property
    def variance(self) -> float:
        return variance_per_day(self.known, prior=self.prior)


@dataclass
class Replay:
    """`step` replays one day; `sums` is the calibration so far, as the site would have it."""

    temper: Temper
    seed: int
    releases: int = 1_500
    users: int = 20
    budget: float = 0.2  # of all releases a day

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.day, self.sums = 0, Calibrated()
        self.market = [self._release() for _ in range(self.releases)]
        self.collections = [self._collection(user) for user in range(self.users)]
        self.held = [release for release in self.market if release.owners]
        for release in self.market:
            release.stored = release.price_at(0, self.random)

    def _release(self) -> Release:
        temper, random = self.temper, self.random
        jumps = min(1.0, max(0.003, temper.jumps * random.lognormvariate(0, temper.jumps_sd)))
        size = temper.size * random.lognormvariate(0, temper.size_sd)
        base = 100 * random.lognormvariate(2.6, temper.price_sd)
        return Release(base, jumps, size, next_jump=random.expovariate(jumps) - 400)

    def _collection(self, user: int) -> list[Release]:
        copies = min(600, max(20, round(200 * self.random.lognormvariate(0, 1))))
        popularity = [1 / (rank + 1) ** (1 / 1.2) for rank in range(self.releases)]
        drawn = self.random.choices(self.market, popularity, k=3 * copies)
        mine = list({id(release): release for release in drawn}.values())[:copies]
        for release in mine:
            release.owners.append(user)
        return mine

    def step(self) -> None:
        """Renew priors, then read the most urgent releases over the day."""
        self.day += 1
        self._renew_priors()
        totals = [sum(release.stored for release in mine) for mine in self.collections]
        ordered = sorted(self.held, key=lambda release: self._turn(release, totals))
        readings = int(self.budget * len(self.held))
        for place, release in enumerate(ordered[:readings]):
            self._read(release, self.day + place / readings)

    def _renew_priors(self) -> None:
        classes: dict[tuple[int, int], Members] = defaultdict(Members)
        for release in self.held:
            classes[key_of(LISTINGS, release.stored)].add(release.stored, release.known)
        priors = priors_of(classes, default=DEFAULT_VARIANCE)
        for release in self.held:
            release.prior = priors[key_of(LISTINGS, release.stored)].variance

    def _turn(self, release: Release, totals: list[int]) -> tuple[float, float]:
        age = self.day - release.read_at
        weight = sum(share_squared(1, release.stored, totals[owner]) for owner in release.owners)
        overdue = -age if age > DEADLINE_DAYS else 0.0
        return overdue, -index(age, urgency(weight, release.variance))

    def _read(self, release: Release, at: float) -> None:
        days, new = at - release.read_at, release.price_at(at, self.random)
        expected = release.variance * days
        if expected >= MIN_VARIANCE:
            found = z_squared(before_minor=release.stored, after_minor=new, variance=expected)
            self.sums = Calibrated(self.sums.readings + 1, self.sums.z2_sum + found)
        release.known = learn(release.known, before_minor=release.stored, after_minor=new, days=days)
        release.stored, release.read_at = new, at

    def bands(self) -> list[tuple[Band, int]]:
        """Each owner's band at the end of the day, and the true total."""
        at = self.day + 1.0
        true = {id(release): release.price_at(at, self.random) for release in self.held}
        found = []
        for mine in self.collections:
            parts = [Part(0, release.stored, release.variance * (at - release.read_at)) for release in mine]
            band = band_of(parts, scale=self.sums.scale)
            assert band is not None
            found.append((band, sum(true[id(release)] for release in mine)))
        return found
