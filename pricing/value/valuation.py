"""Add up the values of copies, in this module only. Pure: it runs no query and reads no clock or setting.

The estimated value is the sum over owned copies of what `value.cascade` says each is worth. A copy without a value adds
nothing and is counted as missing; it is never assumed to be zero.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from pricing.value.cascade import Basis, CopyValue, Evidence, Source
from pricing.value.freshness import Freshness


class Sum(NamedTuple):
    """Some copies and what they are worth together."""

    copies: int = 0
    minor: int = 0

    def plus(self, other: "Sum") -> "Sum":
        return Sum(self.copies + other.copies, self.minor + other.minor)


@dataclass(frozen=True, slots=True)
class Value:
    """An estimated value, what it rests on, and its coverage. `states` counts copies by the state of their price."""

    currency: str
    basis: Basis
    amount_minor: int
    copies: int
    releases: int
    states: dict[Freshness, int]
    sources: dict[Source, Sum]
    evidence: dict[Evidence, Sum]
    num_for_sale: int
    want: int
    as_of: datetime | None
    oldest_at: datetime | None

    @property
    def priced(self) -> int:
        """Copies that have a value, from whatever source."""
        return self.copies - self.unpriced

    @property
    def unpriced(self) -> int:
        return self.sources.get(Source.NONE, Sum()).copies

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


class Tally(NamedTuple):
    """The sum of copies that are alike, and the newest and oldest reading of their prices."""

    state: Freshness
    source: Source
    evidence: Evidence
    currency: str
    sum: Sum
    newest_at: datetime | None = None
    oldest_at: datetime | None = None


def tally_of(copy: CopyValue, *, currency: str, observed_at: datetime | None) -> Tally:
    """The tally of a single copy. `currency` is that of its release's price, empty without one."""
    one = Sum(1, copy.amount_minor or 0)
    return Tally(copy.state, copy.source, copy.evidence, currency, one, observed_at, observed_at)


class Totals(NamedTuple):
    """How many releases are held, and how many of them are for sale and wanted; each release counts once."""

    releases: int
    num_for_sale: int
    want: int


def total(tallies: Iterable[Tally], totals: Totals, *, currency: str, basis: Basis) -> Value:
    """The value of all tallies together, in minor units of `currency`.

    Raises ValueError if a price is in another currency: a total has one currency.
    """
    states: dict[Freshness, int] = {}
    sources: dict[Source, Sum] = {}
    evidence: dict[Evidence, Sum] = {}
    tallies = list(tallies)
    for tally in tallies:
        if tally.source in (Source.FLOOR, Source.CARRIED) and tally.currency not in ("", currency):
            raise ValueError(f"a price in {tally.currency} cannot be added to a total in {currency}")
        states[tally.state] = states.get(tally.state, 0) + tally.sum.copies
        sources[tally.source] = sources.get(tally.source, Sum()).plus(tally.sum)
        evidence[tally.evidence] = evidence.get(tally.evidence, Sum()).plus(tally.sum)
    return Value(
        currency=currency,
        basis=basis,
        amount_minor=sum(part.minor for part in sources.values()),
        copies=sum(states.values()),
        releases=totals.releases,
        states=states,
        sources=sources,
        evidence=evidence,
        num_for_sale=totals.num_for_sale,
        want=totals.want,
        as_of=max((tally.newest_at for tally in tallies if tally.newest_at), default=None),
        oldest_at=min((tally.oldest_at for tally in tallies if tally.oldest_at), default=None),
    )
