"""Replay the values of copies at the ends of days, from what was read and decided until then. Pure.

One release after the other adds to the sums of all moments, so the memory does not grow with the collection.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple, TypeVar

from collections_app.models import Decision
from pricing.value.cascade import MARKET, Basis, CopyFacts, CopyValue, Source, value_of_copy
from pricing.value.change import Held, Part, part_of
from pricing.value.freshness import Freshness, freshness

T = TypeVar("T")
Since = TypeVar("Since", date, datetime)
BASES = (Basis.FLOOR, Basis.GRADE)


class Reading(NamedTuple):
    """A snapshot of a release."""

    observed_at: datetime
    status: str
    amount_minor: int | None
    doubt: int = 0
    num_for_sale: int | None = None
    want: int | None = None


@dataclass(frozen=True, slots=True)
class CopyHistory:
    """One copy of a release. `own` and `edits` are in order of time."""

    added_at: datetime
    removed_at: datetime | None = None
    grade: str = ""  # now
    edits: Sequence[tuple[datetime, str]] = ()  # when the grade changed, and what it was before
    own: Sequence[tuple[datetime, int | None]] = ()  # the owner's figures in minor units; None: withdrawn


@dataclass(frozen=True, slots=True)
class ReleaseHistory:
    """A release and one owner's copies of it. All sequences are in order of time."""

    copies: Sequence[CopyHistory]
    readings: Sequence[Reading] = ()
    earlier: Sequence[tuple[datetime, int]] = ()  # prices read earlier on a day of a reading without one
    near_mint: Sequence[tuple[date, int | None]] = ()  # suggestions, by the first day of each
    decisions: Sequence[tuple[datetime, str]] = ()


@dataclass(slots=True)
class Figures:
    """The sums of one basis at a moment. `parts`: the change since the moment before."""

    value_minor: int = 0
    priced: int = 0
    like_minor: int = 0
    parts: dict[Part, int] = field(default_factory=lambda: dict.fromkeys(Part, 0))


@dataclass(slots=True)
class Day:
    """All sums at a moment."""

    copies: int = 0
    stale: int = 0
    num_for_sale: int = 0
    want: int = 0
    by_basis: dict[Basis, Figures] = field(default_factory=lambda: {basis: Figures() for basis in BASES})


class Moment(NamedTuple):
    """What the market said of a release at a moment, for its owner."""

    at: datetime
    reading: Reading | None
    state: Freshness
    price_minor: int | None  # the lowest listing, or the one carried
    near_mint_minor: int | None
    decision: str


class Replay:
    """Sums over releases, at moments in order of time. Each but the first has its change since the one before."""

    def __init__(self, moments: Sequence[datetime], *, fresh_for: timedelta) -> None:
        self._moments = moments
        self._fresh_for = fresh_for
        self.days = [Day() for _ in moments]

    def add(self, release: ReleaseHistory) -> None:
        market = list(_market(release, self._moments, fresh_for=self._fresh_for))
        counted: set[int] = set()
        for copy in release.copies:
            self._add_copy(copy, market, counted)

    def _add_copy(self, copy: CopyHistory, market: Sequence[Moment], counted: set[int]) -> None:
        """Add one copy; `counted`: the moments at which its release has been counted as for sale and wanted."""
        before: dict[Basis, CopyValue] = {}
        facts: CopyFacts | None = None
        for number, (moment, day) in enumerate(zip(market, self.days, strict=True)):
            if not _is_held(copy, moment.at):
                if before:
                    _add_changes(day, before, {})
                facts, before = None, {}
                continue
            now = _facts_of(copy, moment)
            after = before if now == facts else _values_of(now)
            if number:
                _add_changes(day, before, after)
            _add_values(day, after, moment, is_first=number not in counted)
            counted.add(number)
            facts, before = now, after


def _values_of(copy: CopyFacts) -> dict[Basis, CopyValue]:
    """The value on each basis: the same object where no suggestion exists, as for most copies."""
    floor = value_of_copy(copy, Basis.FLOOR)
    has_suggestion = copy.near_mint_minor is not None
    return {Basis.FLOOR: floor, Basis.GRADE: value_of_copy(copy, Basis.GRADE) if has_suggestion else floor}


def _is_held(copy: CopyHistory, at: datetime) -> bool:
    return copy.added_at <= at and (copy.removed_at is None or copy.removed_at > at)


def _facts_of(copy: CopyHistory, moment: Moment) -> CopyFacts:
    """Without the number for sale, which decides the evidence alone."""
    return CopyFacts(
        state=moment.state,
        floor_minor=moment.price_minor,
        own_minor=_newest(copy.own, moment.at) if copy.own else None,
        grade=_grade_at(copy, moment.at),
        near_mint_minor=moment.near_mint_minor,
        is_left_out=moment.decision == Decision.NEVER,
    )


def _grade_at(copy: CopyHistory, at: datetime) -> str:
    """What the first later edit replaced; without one, the grade now."""
    return next((before for edited_at, before in copy.edits if edited_at > at), copy.grade)


def _newest(log: Sequence[tuple[Since, T]], at: Since) -> T | None:
    return next((entry for since, entry in reversed(log) if since <= at), None)


def _add_changes(day: Day, before: Mapping[Basis, Held], after: Mapping[Basis, Held]) -> None:
    """The values of a copy that is not held are left out."""
    last: tuple[Held, Held] | None = None
    part, change = Part.PRICE, 0
    for basis, figures in day.by_basis.items():
        was, now = before.get(basis), after.get(basis)
        if was is now:  # nothing has happened, as on most days of most copies
            if now is not None and now.source in MARKET:
                figures.like_minor += now.amount_minor or 0
            continue
        if last is None or was is not last[0] or now is not last[1]:
            part, change = part_of(was, now)
            last = was, now
        figures.parts[part] += change
        if part == Part.PRICE and was is not None:
            figures.like_minor += was.amount_minor or 0


def _add_values(day: Day, values: dict[Basis, CopyValue], moment: Moment, *, is_first: bool) -> None:
    day.copies += 1
    day.stale += moment.state == Freshness.STALE
    if is_first and moment.reading is not None:
        day.num_for_sale += moment.reading.num_for_sale or 0
        day.want += moment.reading.want or 0
    for basis, figures in day.by_basis.items():
        value = values[basis]
        figures.value_minor += value.amount_minor or 0
        figures.priced += value.source != Source.NONE


def _market(
    release: ReleaseHistory, moments: Sequence[datetime], *, fresh_for: timedelta
) -> Iterator[Moment]:
    """What was known of the release at each moment."""
    reading: Reading | None = None
    last: tuple[datetime, int] | None = None  # the newest price that counted
    readings, earlier = deque(release.readings), deque(release.earlier)
    for at in moments:
        while readings and readings[0].observed_at <= at:
            reading = readings.popleft()
            if reading.amount_minor is not None and not reading.doubt:
                last = reading.observed_at, reading.amount_minor
        while earlier and earlier[0][0] <= at:
            entry = earlier.popleft()
            last = max(last or entry, entry)
        decision = _newest(release.decisions, at) or Decision.NONE
        state = _state_of(reading, last, decision, at=at, fresh_for=fresh_for)
        price = reading.amount_minor if reading else None
        if state == Freshness.CARRIED:
            price = last[1] if last else None
        yield Moment(at, reading, state, price, _newest(release.near_mint, at.date()), decision)


def _state_of(
    reading: Reading | None,
    last: tuple[datetime, int] | None,
    decision: str,
    *,
    at: datetime,
    fresh_for: timedelta,
) -> Freshness:
    if reading is None:
        return Freshness.NEVER_FETCHED
    return freshness(
        reading.status,
        reading.observed_at,
        now=at,
        fresh_for=fresh_for,
        doubt=reading.doubt,
        decision=decision,
        last_priced_at=last[0] if last else None,
    )
