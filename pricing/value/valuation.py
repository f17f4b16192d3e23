"""Compute the value of holdings, in this module only. Pure: it runs no query and reads no clock or setting.

The estimated value is the sum, over owned copies, of the lowest listing of each copy's release: a lower bound, since
the cheapest listing may be in any condition. A release without a price adds nothing and is counted as unpriced;
its price is never assumed to be zero.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from collections_app.models import Decision
from pricing.models import Doubt
from pricing.value.freshness import PRICED, Freshness, freshness


@dataclass(frozen=True, slots=True)
class Holding:
    """A held release, how many copies are owned, and its newest reading (`observed_at` None: never fetched)."""

    release_id: int
    copies: int
    status: str | None
    amount_minor: int | None
    currency: str
    observed_at: datetime | None
    num_for_sale: int | None = None
    want: int | None = None
    doubt: int = Doubt.NONE
    decision: str = Decision.NONE  # the owner's, which holds for all copies of the release


@dataclass(frozen=True, slots=True)
class Value:
    """An estimated value and its coverage. `states` counts copies by freshness."""

    currency: str
    amount_minor: int
    copies: int
    releases: int
    states: dict[Freshness, int]
    num_for_sale: int
    want: int
    as_of: datetime | None
    oldest_at: datetime | None

    @property
    def priced(self) -> int:
        """Copies that have a price, including stale ones."""
        return sum(self.states.get(state, 0) for state in PRICED)

    @property
    def stale(self) -> int:
        return self.states.get(Freshness.STALE, 0)

    @property
    def quarantined(self) -> int:
        """Copies whose price is held back."""
        return self.states.get(Freshness.QUARANTINED, 0)

    @property
    def left_out(self) -> int:
        """Copies that their owner never counts."""
        return self.states.get(Freshness.LEFT_OUT, 0)

    @property
    def unpriced(self) -> int:
        return self.copies - self.priced


@dataclass(slots=True)
class Tally:
    """The sum of holdings in one state. `amount_minor` is the total of all their copies."""

    state: Freshness
    currency: str
    copies: int = 0
    amount_minor: int = 0
    newest_at: datetime | None = None
    oldest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """How many releases are held, and how many of them are for sale and wanted; each release counts once."""

    releases: int
    num_for_sale: int
    want: int


def value_of(holdings: Iterable[Holding], *, currency: str, now: datetime, fresh_for: timedelta) -> Value:
    """The value of the holdings at `now`, in minor units of `currency`. Raises ValueError like `total`."""
    tallies: dict[tuple[Freshness, str], Tally] = {}
    releases = num_for_sale = want = 0
    for holding in holdings:
        state = freshness(
            holding.status,
            holding.observed_at,
            now=now,
            fresh_for=fresh_for,
            doubt=holding.doubt,
            decision=holding.decision,
        )
        key = state, holding.currency
        _add(tallies.get(key) or tallies.setdefault(key, Tally(*key)), holding)
        releases += 1
        num_for_sale += holding.num_for_sale or 0
        want += holding.want or 0
    return total(tallies.values(), Totals(releases, num_for_sale, want), currency=currency)


def _add(tally: Tally, holding: Holding) -> None:
    tally.copies += holding.copies
    tally.amount_minor += (holding.amount_minor or 0) * holding.copies
    if seen := holding.observed_at:
        tally.newest_at = max(tally.newest_at or seen, seen)
        tally.oldest_at = min(tally.oldest_at or seen, seen)


def total(tallies: Iterable[Tally], totals: Totals, *, currency: str) -> Value:
    """The value of all tallies together.

    Raises ValueError if a price is in another currency: a total has one currency.
    """
    tallies = list(tallies)
    states: Counter[Freshness] = Counter()
    amount = 0
    for tally in tallies:
        states[tally.state] += tally.copies
        if tally.state in PRICED:
            if tally.currency != currency:
                raise ValueError(f"a price in {tally.currency} cannot be added to a total in {currency}")
            amount += tally.amount_minor
    return Value(
        currency=currency,
        amount_minor=amount,
        copies=states.total(),
        releases=totals.releases,
        states=dict(states),
        num_for_sale=totals.num_for_sale,
        want=totals.want,
        as_of=max((tally.newest_at for tally in tallies if tally.newest_at), default=None),
        oldest_at=min((tally.oldest_at for tally in tallies if tally.oldest_at), default=None),
    )


@dataclass(frozen=True, slots=True)
class Copy:
    """One owned copy, and when it was added and removed."""

    release_id: int
    added_at: datetime
    removed_at: datetime | None


# When an owner decided, and what.
Decided = tuple[datetime, str]


def holdings_at(
    copies: Iterable[Copy],
    readings: Mapping[int, Sequence[Holding]],
    decisions: Mapping[int, Sequence[Decided]] | None = None,
    *,
    moment: datetime,
) -> list[Holding]:
    """The holdings at a moment, each release with its newest reading and its owner's newest decision up to then.

    readings: for each release its readings, oldest first; their `copies` and `decision` are ignored.
    decisions: for each release what its owner decided, oldest first.
    """
    counts = Counter(
        copy.release_id
        for copy in copies
        if copy.added_at <= moment and (copy.removed_at is None or copy.removed_at > moment)
    )
    decided = decisions or {}
    return [
        replace(
            _newest(release, readings.get(release, ()), moment),
            copies=count,
            decision=_standing(decided.get(release, ()), moment),
        )
        for release, count in counts.items()
    ]


def _newest(release_id: int, readings: Sequence[Holding], moment: datetime) -> Holding:
    position = bisect_right(readings, moment, key=lambda reading: reading.observed_at or moment)
    return readings[position - 1] if position else Holding(release_id, 0, None, None, "", None)


def _standing(decisions: Sequence[Decided], moment: datetime) -> str:
    position = bisect_right(decisions, moment, key=lambda decided: decided[0])
    return decisions[position - 1][1] if position else Decision.NONE
