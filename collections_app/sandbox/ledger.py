"""Counters of what the sandbox received, for tests."""

from collections import Counter
from threading import Lock
from typing import Any

from collections_app.sandbox.access.limiter import SlidingWindow


class Ledger:
    """Counters by route, release, status and fault. Safe for threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.clear()

    def clear(self) -> None:
        """Reset the counters; open connections are not counted again."""
        with self._lock:
            self._routes: Counter[str] = Counter()
            self._releases: Counter[str] = Counter()
            self._statuses: Counter[str] = Counter()
            self._faults: Counter[str] = Counter()
            self._connections = 0
            self._seconds = 0.0

    def connection(self) -> None:
        """Count an accepted TCP connection."""
        with self._lock:
            self._connections += 1

    def request(self, route: str, release_id: str | None) -> None:
        """Count a request that passed the limit; `release_id` if it was for /releases/{id}."""
        with self._lock:
            self._routes[route] += 1
            if release_id is not None:
                self._releases[release_id] += 1

    def status(self, status: int) -> None:
        """Count an answer, refusals included."""
        with self._lock:
            self._statuses[str(status)] += 1

    def seconds(self, seconds: float) -> None:
        """Add the time that building an answer took, without its latency."""
        with self._lock:
            self._seconds += seconds

    def fault(self, kind: str) -> None:
        """Count a scripted fault."""
        with self._lock:
            self._faults[kind] += 1

    def stats(self, window: SlidingWindow, *, times: bool = False) -> dict[str, Any]:
        """All counters as plain JSON; `times` adds the accepted times (seconds of the monotonic clock)."""
        accepted, refused = window.totals()
        with self._lock:
            found: dict[str, Any] = {
                "accepted": accepted,
                "refused": refused,
                "connections": self._connections,
                "seconds": self._seconds,
                "routes": dict(self._routes),
                "per_release": {
                    "max": max(self._releases.values(), default=0),
                    "releases": dict(self._releases),
                },
                "statuses": dict(self._statuses),
                "faults": dict(self._faults),
            }
        found["most_in_window"] = window.most_in_any_window()
        if times:
            found["times"] = window.accepted_times()
        return found
