"""The state of the sandbox and every operation on it, for tests and the control routes. No socket."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from threading import Event
from typing import Any

from collections_app.sandbox.access import login
from collections_app.sandbox.access.limiter import SlidingWindow
from collections_app.sandbox.faults.script import Script
from collections_app.sandbox.ledger import Ledger
from collections_app.sandbox.world.holdings import SandboxUser
from collections_app.sandbox.world.world import World

Latency = float | tuple[float, float]
_PARTS = ("world", "faults", "stats", "settings")


class Sandbox:
    """A made-up Discogs without its socket.

    `limit` requests per `window` seconds and source address (25/60 of it without credentials); `latency` in seconds,
    one number or (minimum, maximum). `clock` gives epoch seconds; `set_clock` moves them. `login` is a mode of
    access/login.py.
    """

    def __init__(
        self,
        *,
        limit: int = 60,
        window: float = 6.0,
        latency: Latency = 0.0,
        seed: int = 1,
        releases: int = 5000,
        count_refused: bool = False,
        clock: Callable[[], float] = time.time,
        login: login.Login = "redirect",
    ) -> None:
        self.world = World(seed=seed, releases=releases)
        self.ledger = Ledger()
        self.limiter = SlidingWindow(limit, window, count_refused=count_refused)
        self.script = Script(seed=seed)
        self.login = login
        self._clock, self._clock_shift = clock, 0.0
        self.stopping = Event()
        self._settings = {
            "limit": limit,
            "window": window,
            "latency": latency,
            "count_refused": count_refused,
        }
        self._initial_login = login
        self._rng = Random(seed)
        self._latency = _span(latency)
        self._pinned_day: date | None = None
        self._day_shift = 0

    def clock(self) -> float:
        """Now, in epoch seconds, for OAuth, the Date header and the day."""
        return self._clock() + self._clock_shift

    def set_clock(self, *, now: datetime | str | None = None) -> datetime:
        """Set the clock, which runs on from there ("2026-12-31T23:59:58+00:00"); without `now`, the real time again.

        While it is set, copies and wants that are added get its time instead of the anchor day.
        """
        moment = datetime.fromisoformat(now) if isinstance(now, str) else now
        if moment is not None and moment.tzinfo is None:
            raise ValueError(f"no time zone: {moment}")
        self._clock_shift = 0.0 if moment is None else moment.timestamp() - self._clock()
        return datetime.fromtimestamp(self.clock(), UTC)

    def added_at(self) -> datetime | None:
        """When copies and wants are added; None for the world's own anchor day."""
        return datetime.fromtimestamp(int(self.clock()), UTC) if self._clock_shift else None

    def set_login(self, mode: login.Login) -> None:
        """Choose how the web site's login behaves; ValueError for an unknown mode."""
        if mode not in login.MODES:
            raise ValueError(f"no such login: {mode}")
        self.login = mode

    def today(self) -> date:
        """The world's UTC day."""
        day = datetime.fromtimestamp(self.clock(), UTC).date()
        return self._pinned_day or day + timedelta(days=self._day_shift)

    def set_day(self, *, shift: int = 0, day: date | str | None = None) -> date:
        """Shift the day of the world by so many days, or pin it to a day ("2026-12-01"); returns the day."""
        self._pinned_day = date.fromisoformat(day) if isinstance(day, str) else day
        self._day_shift = shift
        return self.today()

    def set_limit(
        self,
        *,
        limit: int | None = None,
        window: float | None = None,
        latency: Latency | None = None,
        count_refused: bool | None = None,
    ) -> dict[str, Any]:
        """Change limit, window (seconds), latency (seconds) or whether refused requests count; the log stays."""
        limiter = self.limiter
        limiter.limit = limiter.limit if limit is None else limit
        limiter.window = limiter.window if window is None else window
        limiter.count_refused = limiter.count_refused if count_refused is None else count_refused
        self._latency = self._latency if latency is None else _span(latency)
        return {
            "limit": limiter.limit,
            "window": limiter.window,
            "latency": list(self._latency),
            "count_refused": limiter.count_refused,
        }

    def stats(self, *, times: bool = False) -> dict[str, Any]:
        """Counters since the start or the last reset.

        accepted, refused, most_in_window, connections, routes {name: n}, statuses {"200": n}, faults {kind: n},
        seconds (spent in building answers, without latency),
        per_release {"max", "releases": {"id": n}} for /releases/{id} only, and with `times` the accepted times
        (seconds of the machine's monotonic clock). Covers and pages count in `routes` alone.
        """
        return self.ledger.stats(self.limiter, times=times)

    def add_user(self, username: str, token: str | None = None, **wanted: Any) -> SandboxUser:
        """Add or replace a user; the arguments of World.add_user."""
        return self.world.add_user(username, token, **wanted)

    def set_market(self, release_id: int, **fields: Any) -> None:
        """Override a release's market; the arguments of World.set_market."""
        self.world.set_market(release_id, **fields)

    def authorise(self, request_token: str, username: str) -> str:
        """Authorise the application as this user, as the page does; returns the verifier.

        KeyError for an unknown user or token, grants.Decided for a token already used.
        """
        user = self.world.users[username]
        return self.world.grants.authorise(request_token, user.id, now=self.clock()).verifier

    def revoke(self, username: str) -> int:
        """End every access token this user has granted; returns how many. KeyError for an unknown user."""
        return self.world.grants.revoke(self.world.users[username].id)

    def add_fault(self, path: str, kind: str, **options: Any) -> None:
        """Add a rule as faults/script.py describes it; ValueError if it is malformed."""
        self.script.add({"path": path, "kind": kind, **options})

    def faults(self) -> list[dict[str, Any]]:
        """The rules with their counters `matched` and `struck`."""
        return self.script.as_json()

    def clear_faults(self) -> None:
        """Delete every rule."""
        self.script.clear()

    def reset(self, *parts: str) -> None:
        """Reset "world", "faults", "stats" (with the limit's window) and "settings", or all four."""
        unknown = set(parts) - set(_PARTS)
        if unknown:
            raise ValueError(f"no such part: {sorted(unknown)}")
        chosen = parts or _PARTS
        if "world" in chosen:
            self.world.reset()
            self.set_day()
            self.set_clock()
        if "faults" in chosen:
            self.script.clear()
        if "stats" in chosen:
            self.ledger.clear()
            self.limiter.clear()
        if "settings" in chosen:
            self.set_limit(**self._settings)  # type: ignore[arg-type]
            self.set_login(self._initial_login)

    def draw_latency(self) -> tuple[float, float]:
        """Seconds to wait before the limit is checked, and after it."""
        minimum, maximum = self._latency
        if not maximum:
            return 0.0, 0.0
        total, share = self._rng.uniform(minimum, maximum), self._rng.random()
        return total * share, total * (1 - share)


def _span(latency: Latency | list[float]) -> tuple[float, float]:
    minimum, maximum = latency if isinstance(latency, tuple | list) else (latency, latency)
    return float(minimum), float(maximum)
