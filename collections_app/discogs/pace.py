"""The arithmetic of a rate limit: when a request may be sent. Pure, except for the ceiling's own clock."""

import time
from dataclasses import dataclass
from functools import cached_property

SLOW_ANSWER_MS = 6_000  # answers slower than this slow the pace, by up to a half


@dataclass(frozen=True)
class Pace:
    """A rate limit: `limit` requests in `window` seconds. All times are in seconds."""

    limit: int
    window: float

    @cached_property
    def span(self) -> float:
        """The window with its margin: 61 s for a minute, measured to cause no refusal with 0.6 s of jitter."""
        return self.window + max(self.window / 60, min(0.3, self.window / 20))

    @cached_property
    def interval(self) -> float:
        return self.span / self.limit

    @cached_property
    def burst(self) -> int:
        return max(1, self.limit // 10)

    @cached_property
    def minute(self) -> float:
        """The length of a minute in the engine's rules, if a shorter window stands for a minute."""
        return self.window / 60

    def slowed(self, *, told_limit: int | None, foreign_use: int, latency_ms: float) -> "Pace":
        """The pace reduced for other clients behind our address, for a lower tier and for slow answers of Discogs."""
        limit = min(self.limit, told_limit or self.limit) - foreign_use
        if latency_ms > SLOW_ANSWER_MS:
            limit = int(limit * max(0.5, SLOW_ANSWER_MS / latency_ms))
        return self if limit >= self.limit else Pace(max(1, limit), self.window)

    def lateness_allowed(self) -> float:
        """Seconds after its slot within which a request may be sent; later it could collide, so it books again."""
        return (self.span - self.window) / 2


Slots = list[list[float]]  # [first, last, count], oldest first


def slot_after(slots: Slots, next_paced_at: float, now: float, pace: Pace) -> float:
    """When the next request may be sent. Pure."""
    at = max(now, next_paced_at - (pace.burst - 1) * pace.interval)
    if slots:
        at = max(at, slots[-1][1])
    within = [slot for slot in slots if slot[1] > at - pace.span]
    taken = sum(slot[2] for slot in within)
    for _first, last, count in within:
        if taken < pace.limit:
            break
        at = max(at, last + pace.span)
        taken -= count
    return at


def slots_with(slots: Slots, at: float, now: float, pace: Pace) -> Slots:
    """The slots of the last two windows and the new one. Near ones are merged into the later: never too few. Pure.

    The limit needs one window; the other shows which requests were ours when a slow answer arrives.
    """
    kept = [slot for slot in slots if slot[1] > now - 2 * pace.span]
    if kept and at - kept[-1][0] < pace.span / 120:
        first, _last, count = kept[-1]
        return [*kept[:-1], [first, at, count + 1]]
    return [*kept, [at, at, 1]]


class Ceiling:
    """A limit for one process, below the shared one; in memory, by the process's own clock."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._slots: Slots = []
        self._next_paced_at = 0.0

    def wait(self) -> float:
        """Seconds until this process may send again."""
        now = time.monotonic()
        return slot_after(self._slots, self._next_paced_at, now, self._pace) - now

    def take(self) -> None:
        """Count a request of this process."""
        now = time.monotonic()
        self._slots = slots_with(self._slots, now, now, self._pace)
        self._next_paced_at = max(self._next_paced_at, now) + self._pace.interval
