"""The change of a user's value between any two days, replayed from what was read and decided."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pricing.daily.history import histories_of
from pricing.daily.parts import end_of
from pricing.daily.replay import Replay
from pricing.value.cascade import Basis
from pricing.value.change import Split
from pricing.value.freshness import fresh_for


@dataclass(frozen=True, slots=True)
class ChangeBetween:
    """The values at both ends, in minor units, and the difference by cause."""

    before_minor: int
    after_minor: int
    split: Split


def change_between(user_id: int, basis: Basis, first: date, last: date, *, now: datetime) -> ChangeBetween:
    """From the end of one UTC day to that of a later one; of today, until now. A few queries for each 100 releases."""
    replay = Replay([end_of(first), min(end_of(last), now)], fresh_for=fresh_for())
    for history in histories_of(user_id, since=first + timedelta(days=1)):
        replay.add(history)
    before, after = (day.by_basis[basis] for day in replay.days)
    split = Split(like_minor=after.like_minor, **after.parts)
    return ChangeBetween(before.value_minor, after.value_minor, split)
