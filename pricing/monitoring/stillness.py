"""A standstill, detected without trusting any stored time."""

import time
from collections.abc import Callable
from datetime import timedelta

from pricing.monitoring.metrics import progress_mark


class Stillness:
    """How long no work has ended although some waits: the time since `progress_mark` last changed."""

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._seen: object = None
        self._since = steady()

    def look(self) -> timedelta:
        seen = progress_mark()
        if seen is None or seen != self._seen:
            self._seen, self._since = seen, self._steady()
        return timedelta(seconds=self._steady() - self._since)
