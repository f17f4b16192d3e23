"""Measure the steps of the supervisor's loop. While a step runs, nothing is queued and no heartbeat is written."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)

BUDGET_SECONDS = 1.0  # for each step
QUIET_SECONDS = 60.0  # between two log lines about one step


class StepTimes:
    """The longest duration of each step since the start or the last log line; a step over its budget is logged."""

    def __init__(self, budget: float = BUDGET_SECONDS) -> None:
        self._budget = budget
        self._logged_at: dict[str, float] = {}
        self.longest: dict[str, float] = {}

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self._note(name, time.monotonic() - started)

    def _note(self, name: str, seconds: float) -> None:
        self.longest[name] = max(seconds, self.longest.get(name, 0.0))
        now, logged_at = time.monotonic(), self._logged_at.get(name)
        if self.longest[name] <= self._budget or (logged_at and now - logged_at < QUIET_SECONDS):
            return
        logger.warning(
            "step %r of the supervisor took %.1f s, more than its %.1f s: everything else waited. "
            "Nothing is lost; if this happens again, the database is slow or this machine is overloaded.",
            name,
            self.longest.pop(name),
            self._budget,
        )
        self._logged_at[name] = now
