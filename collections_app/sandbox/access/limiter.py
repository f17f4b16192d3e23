"""The rate limit: one strict sliding-window log per source address, whatever the token."""

import time
from array import array
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

ANONYMOUS_SHARE = 25 / 60


@dataclass(frozen=True, slots=True)
class Verdict:
    """`used` and `remaining` lag by one: they describe the window before this request."""

    accepted: bool
    limit: int
    used: int
    refusals: int = 0

    def headers(self) -> dict[str, str]:
        """The three rate headers."""
        return {
            "X-Discogs-Ratelimit": str(self.limit),
            "X-Discogs-Ratelimit-Used": str(self.used),
            "X-Discogs-Ratelimit-Remaining": str(max(0, self.limit - self.used)),
        }


class SlidingWindow:
    """Accept at most `limit` requests in any `window` seconds per client, 25/60 of that without credentials.

    Safe for threads. With `count_refused` a refused request counts in the window too.
    """

    def __init__(
        self, limit: int, window: float, *, count_refused: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limit = limit
        self.window = window
        self.count_refused = count_refused
        self._clock = clock
        self._lock = Lock()
        self.clear()

    def clear(self) -> None:
        """Empty every window and delete the accepted times."""
        with self._lock:
            self._logs: defaultdict[str, deque[float]] = defaultdict(deque)
            self._accepted: array[float] = array("d")
            self._refused = 0

    def ask(self, client: str, *, credentials: bool) -> Verdict:
        """Accept or refuse one request, now."""
        limit = self.limit if credentials else max(1, int(self.limit * ANONYMOUS_SHARE))
        with self._lock:
            now, log = self._clock(), self._logs[client]
            while log and log[0] <= now - self.window:
                log.popleft()
            used = len(log)
            accepted = used < limit
            if accepted or self.count_refused:
                log.append(now)
            if accepted:
                self._accepted.append(now)
            else:
                self._refused += 1
            return Verdict(accepted, limit, min(used, limit), self._refused)

    def accepted_times(self) -> list[float]:
        """When requests were accepted: seconds of the machine's monotonic clock, ascending."""
        with self._lock:
            return list(self._accepted)

    def totals(self) -> tuple[int, int]:
        """Requests accepted and refused."""
        with self._lock:
            return len(self._accepted), self._refused

    def most_in_any_window(self) -> int:
        """The largest number of requests accepted within one window, all clients together."""
        times = self.accepted_times()
        return max((n + 1 - bisect_right(times, at - self.window) for n, at in enumerate(times)), default=0)
