"""A made market with planted wrong figures, replayed through the rules of doubt and of what is due.

The log price of a release moves by rare jumps around a level. Wrong figures are off by a factor of 5 to 150 either way.
"""

import math
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pricing.models import Doubt
from pricing.precision.plausibility import MIN_LISTINGS, Before, doubt_of
from pricing.sync.due import is_due

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
RELEASES, DAYS = 1_500, 60
PLANTED = 0.01  # of all readings


@dataclass
class Item:
    """One release: how its true price moves, and what is known of it. Amounts in minor units."""

    level: float  # of the log price
    true: float  # log price
    rate: float  # jumps a day
    size: float  # their standard deviation
    listings: int
    last: int | None = None
    counted: int | None = None  # what a total adds; None while it is held back
    naive: int = 0  # what a total without the rules adds
    doubted: int | None = None
    doubted_at: datetime | None = None
    read_at: datetime = START

    def before(self) -> Before:
        day = self.doubted_at.date() if self.doubted_at else None
        return Before(self.last, self.listings, self.doubted, day)


@dataclass
class Figures:
    """`errors` of the total on each day, relative to the truth; `naive_errors` without the rules."""

    readings: Counter[tuple[str, bool]] = field(default_factory=Counter)  # planted or honest; held back
    errors: list[float] = field(default_factory=list)
    naive_errors: list[float] = field(default_factory=list)
    counted_errors: list[float] = field(
        default_factory=list
    )  # of the copies that count, against their own truth

    def share(self, kind: str) -> float:
        """The share of these readings that was held back."""
        return self.readings[kind, True] / (self.readings[kind, True] + self.readings[kind, False])


def replay(seed: int, *, every: timedelta, reads_again: bool = True) -> Figures:
    """Read each release `every` so often. reads_again: whether a doubted one is due after a day."""
    dice, figures = random.Random(seed), Figures()
    items = [_item(dice) for _ in range(RELEASES)]
    for item in items:
        item.naive = item.last = item.counted = round(math.exp(item.true))
        item.read_at = START - dice.random() * every
    for number in range(1, DAYS + 1):
        now = START + number * DAY
        for item in items:
            _move(item, dice)
            is_doubted = reads_again and item.doubted is not None
            if is_due(
                "priced",
                every=every,
                status_since=START,
                observed_at=item.read_at,
                now=now,
                is_doubted=is_doubted,
            ):
                _visit(item, figures, dice, now=now)
        _add_errors(figures, items)
    return figures


def _item(dice: random.Random) -> Item:
    level = math.log(100) + dice.gauss(2.6, 1.1)
    rate = min(max(math.exp(dice.gauss(math.log(0.08), 0.9)), 0.003), 1)
    size = math.exp(dice.gauss(math.log(0.15), 0.5))
    listings = max(int(math.exp(dice.gauss(2.7, 1))), MIN_LISTINGS)
    return Item(level, level, rate, size, listings)


def _move(item: Item, dice: random.Random) -> None:
    if dice.random() < 1 - math.exp(-item.rate):
        item.true = item.level + 0.9 * (item.true - item.level) + dice.gauss(0, item.size)


def _visit(item: Item, figures: Figures, dice: random.Random, *, now: datetime) -> None:
    """What the recorder does with a reading."""
    amount, is_planted = _reading(item, dice)
    doubt = doubt_of(
        amount, day=now.date(), for_sale=item.listings, suggested_minor=None, before=item.before()
    )
    item.read_at, item.naive = now, amount
    if doubt == Doubt.NONE:
        item.doubted, item.doubted_at = None, None
        item.last = item.counted = amount
    else:
        item.doubted, item.doubted_at, item.counted = amount, now, None
    figures.readings["planted" if is_planted else "honest", doubt != Doubt.NONE] += 1


def _reading(item: Item, dice: random.Random) -> tuple[int, bool]:
    """The amount that is read, and whether it was planted."""
    if dice.random() >= PLANTED:
        return round(math.exp(item.true)), False
    wrong = math.exp(dice.uniform(math.log(5), math.log(150))) ** dice.choice((-1, 1))
    return max(round(math.exp(item.true) * wrong), 1), True


def _add_errors(figures: Figures, items: list[Item]) -> None:
    truth = sum(math.exp(item.true) for item in items)
    counted = [item for item in items if item.counted is not None]
    total = sum(item.counted or 0 for item in counted)
    figures.errors.append(abs(total / truth - 1))
    figures.counted_errors.append(abs(total / sum(math.exp(item.true) for item in counted) - 1))
    figures.naive_errors.append(abs(sum(item.naive for item in items) / truth - 1))
