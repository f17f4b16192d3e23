"""How often the supervisor works. Pure: what it has found in, its next step out.

While work waits, each step has its own interval. While none does, the supervisor only asks whether the database was
written to, and looks for work if it was. If it misses that, or work comes due by the clock, it finds it a few
seconds later.
"""

from dataclasses import dataclass

TICK = 0.1  # seconds between two rounds while work waits
IDLE_TICK = 0.2  # seconds between two rounds while none does: one cheap statement each
LOOK_AGAIN = 1.0  # seconds after which a busy supervisor looks whether work still waits
MAX_UNSEEN = 5.0  # seconds that work may wait if its coming was missed, and between two idle runs of a step
BUSY_FOR = 3.0  # seconds after the last work that was seen: the end of a run is work for several steps


def is_look_due(*, is_busy: bool, has_changed: bool, looked_ago: float) -> bool:
    """Whether to look for work now. looked_ago: seconds since the last look."""
    if is_busy:
        return looked_ago >= LOOK_AGAIN
    return has_changed or looked_ago >= MAX_UNSEEN


def interval(seconds: float, *, is_busy: bool) -> float:
    """How often a step runs that runs every so many seconds while work waits."""
    return seconds if is_busy else max(seconds, MAX_UNSEEN)


@dataclass(slots=True)
class Rhythm:
    """What the last look found; `at` is in seconds of any monotonic clock. A new supervisor counts as busy."""

    is_busy: bool = True
    _version: object = None
    _looked_at: float = 0.0
    _worked_at: float = 0.0

    @property
    def pause(self) -> float:
        """The seconds until the next round."""
        return TICK if self.is_busy else IDLE_TICK

    def is_look_due(self, version: object, *, at: float) -> bool:
        """version: of the data, see `data_version`."""
        changed = version != self._version
        return is_look_due(is_busy=self.is_busy, has_changed=changed, looked_ago=at - self._looked_at)

    def note_look(self, version: object, *, work_waits: bool, at: float) -> None:
        """Keep what a look has found. `version` must be from before the look."""
        self._version, self._looked_at = version, at
        if work_waits:
            self._worked_at = at
        self.is_busy = at - self._worked_at < BUSY_FOR
