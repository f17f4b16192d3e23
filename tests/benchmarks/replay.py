"""A replay of many days of a made market, with the product's own estimator, weights, threshold and order.

Only the market, the users and the clock are made; see `refresh` for the policies compared.
"""

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from collections_app.discogs.payloads import Market as Answer
from collections_app.discogs.payloads import MarketStatus
from pricing.models import ReleasePrice
from pricing.models.prices import DEFAULT_VARIANCE
from pricing.precision.classes import Key, Members, key_of, priors_of
from pricing.precision.estimator import Learned, in_days, share_squared
from pricing.precision.order import Turn, is_worth_a_request, turn_of
from pricing.precision.threshold import DEADLINE, RESERVED_SHARE, Alike, threshold_for
from pricing.precision.weights import Held, World, renewed
from pricing.sync.due import is_due
from pricing.sync.recorder import learned_from
from tests.benchmarks.market import Market

START = datetime(2027, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS, COUNTED_FROM = 200, 70


@dataclass
class Outcome:
    """Relative errors of the users' totals, and ages in days."""

    squares: list[float] = field(default_factory=list)
    oldest_days: float = 0.0
    requests: int = 0

    @property
    def rmse(self) -> float:
        return math.sqrt(sum(self.squares) / len(self.squares))


class Site:
    """What the site knows of a market: its rows, in memory."""

    def __init__(self, market: Market, collections: list[dict[int, int]]) -> None:
        self.market, self.collections = market, collections
        self.held: dict[int, list[Held]] = defaultdict(list)
        for user, owned in enumerate(collections):
            for release, copies in owned.items():
                self.held[release].append(Held(user, copies))
        self.now = START
        self.rows = {release: self._first(release) for release in sorted(self.held)}
        self.threshold = 0.0

    def _first(self, release: int) -> ReleasePrice:
        price = self.market.prices[release]
        return ReleasePrice(
            release_id=release,
            status=MarketStatus.PRICED.value,
            currency="USD",
            amount_minor=price,
            num_for_sale=self.market.listings[release],
            observed_at=START,
            status_since=START,
            last_minor=price,
            last_priced_at=START,
            prior_variance=DEFAULT_VARIANCE,
        )

    def read(self, release: int) -> None:
        """One request: what the recorder stores."""
        price = self.market.prices[release]
        answer = Answer(
            release, MarketStatus.PRICED, "USD", price, self.market.listings[release], 0, 0, 0, None
        )
        row = self.rows[release]
        for name, value in learned_from(answer, row, now=self.now).items():
            setattr(row, name, value)
        row.amount_minor, row.observed_at = price, self.now

    def renew(self, *, per_day: float) -> None:
        """The nightly pass, for a limit that leaves `per_day` requests to scheduled runs."""
        totals = {user: self.total(user) for user in range(len(self.collections))}
        classes: dict[Key, Members] = defaultdict(Members)
        for row in self.rows.values():
            price = row.last_minor or 0
            classes[key_of(row.num_for_sale, price)].add(price, Learned(row.s2, row.exposure_days))
        world = World(totals, dict.fromkeys(totals, 24), priors_of(classes, default=DEFAULT_VARIANCE))
        for _ in renewed(self.rows.values(), self.held, world):
            pass
        demand = Counter(
            Alike.of(age_days=self.age_days(release), urgency=row.urgency, interval_hours=24)
            for release, row in self.rows.items()
        )
        self.threshold = threshold_for(demand, allowed_per_day=per_day / (1 - RESERVED_SHARE))

    def total(self, user: int) -> int:
        return sum(
            copies * (self.rows[release].amount_minor or 0)
            for release, copies in self.collections[user].items()
        )

    def truth(self, user: int) -> int:
        return sum(copies * self.market.prices[release] for release, copies in self.collections[user].items())

    def age_days(self, release: int) -> float:
        return (self.now - self.rows[release].observed_at) / DAY


class Policy(Protocol):
    def renew(self, site: Site, *, per_day: int) -> None: ...

    def choose(self, site: Site) -> list[int]:
        """Releases in the order in which they are read, as far as the day's requests go."""
        ...


def replay(site: Site, policy: Policy, *, share: float, days: int = DAYS) -> Outcome:
    """Let days pass, each with a night in its middle, a move of the market and then requests for this share of all."""
    per_day = round(share * len(site.rows))
    outcome = Outcome()
    for day in range(1, days + 1):
        site.now = START + (day - 0.5) * DAY
        policy.renew(site, per_day=per_day)
        site.now = START + day * DAY
        site.market.move()
        chosen = policy.choose(site)[:per_day]
        for release in chosen:
            site.read(release)
        outcome.requests += len(chosen)
        if day > COUNTED_FROM:
            outcome.oldest_days = max(outcome.oldest_days, *(site.age_days(each) for each in site.rows))
            for user in range(len(site.collections)):
                truth = site.truth(user)
                outcome.squares.append(((site.total(user) - truth) / truth) ** 2)
    return outcome


# Policies -------------------------------------------------------------------------------------------


class RoundRobin:
    """The oldest reading first."""

    def renew(self, site: Site, *, per_day: int) -> None:
        pass

    def choose(self, site: Site) -> list[int]:
        return sorted(site.rows, key=lambda release: (-site.age_days(release), release))


class Product:
    """The nightly pass, the planner's choice at each user's daily run, and the feeder's order over all of them."""

    def __init__(self) -> None:
        self.planned: set[int] = set()
        self.per_day = 0

    def renew(self, site: Site, *, per_day: int) -> None:
        self.per_day = per_day
        site.renew(per_day=per_day)

    def choose(self, site: Site) -> list[int]:
        for release, row in site.rows.items():
            turn = turn_of(row.observed_at, row.urgency, now=site.now)
            if is_worth_a_request(row.status, turn, threshold=site.threshold) and self._is_due(site, row):
                self.planned.add(release)
        ordered = sorted(self.planned, key=lambda release: (self._turn(site, release), release))
        self.planned.difference_update(ordered[: self.per_day])
        return ordered

    @staticmethod
    def _is_due(site: Site, row: ReleasePrice) -> bool:
        return is_due(
            row.status,
            every=DAY,
            status_since=row.status_since,
            observed_at=row.observed_at,
            now=site.now,
        )

    @staticmethod
    def _turn(site: Site, release: int) -> Turn:
        row = site.rows[release]
        return turn_of(row.observed_at, row.urgency, now=site.now)


class ToldTheTruth(RoundRobin):
    """The largest index, with the variance that the market was made with."""

    def renew(self, site: Site, *, per_day: int) -> None:
        totals = [site.total(user) for user in range(len(site.collections))]
        self.urgency = {
            release: math.sqrt(self._weight(site, release, totals) * site.market.true_variance(release))
            for release in site.rows
        }

    @staticmethod
    def _weight(site: Site, release: int, totals: list[int]) -> float:
        price = site.rows[release].amount_minor or 0
        owners = site.held[release]
        return sum(share_squared(owner.copies, price, totals[owner.connection_id]) for owner in owners)

    def choose(self, site: Site) -> list[int]:
        late = [release for release in site.rows if site.age_days(release) >= in_days(DEADLINE)]
        late.sort(key=site.age_days, reverse=True)
        rest = set(site.rows).difference(late)
        return [
            *late,
            *sorted(rest, key=lambda release: site.age_days(release) * self.urgency[release], reverse=True),
        ]


class Before(RoundRobin):
    """The order before weights and variances: age x root of owners x price x volatility for each reading."""

    def __init__(self) -> None:
        self.volatility: dict[int, float] = defaultdict(float)
        self.seen: dict[int, tuple[datetime, int]] = {}

    def choose(self, site: Site) -> list[int]:
        for release, row in site.rows.items():
            price = row.amount_minor or 0
            seen_at, before = self.seen.get(release, (row.observed_at, price))
            if row.observed_at != seen_at:
                change = min(abs(price - before) / before, 1.0)
                self.volatility[release] = 0.8 * self.volatility[release] + 0.2 * change
            self.seen[release] = row.observed_at, price
        return sorted(site.rows, key=lambda release: -self._priority(site, release))

    def _priority(self, site: Site, release: int) -> float:
        price = max(site.rows[release].amount_minor or 0, 100)
        weight = len(site.held[release]) * price * max(self.volatility[release], 0.01)
        return site.age_days(release) * math.sqrt(weight)
