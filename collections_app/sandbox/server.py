"""The stand-in server: SandboxServer for tests and the command, and the socket it listens on."""

import ipaddress
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

from collections_app.sandbox import auth, control, damage, routes, tokens, website
from collections_app.sandbox.answer import Answer, Refused, Request, cloudflare, message
from collections_app.sandbox.faults import Rule, Script
from collections_app.sandbox.ledger import Ledger
from collections_app.sandbox.limiter import SlidingWindow, Verdict
from collections_app.sandbox.listener import Listener
from collections_app.sandbox.shelves import SandboxUser
from collections_app.sandbox.world import World

Latency = float | tuple[float, float]
_HOST = re.compile(r"[A-Za-z0-9.\-]+(:[0-9]+)?|\[[0-9a-fA-F:]+\](:[0-9]+)?")
_PARTS = ("world", "faults", "stats", "settings")


class SandboxServer:
    """A sandbox Discogs: `with SandboxServer(limit=60, window=6) as sandbox: … sandbox.url …`

    `limit` requests per `window` seconds and source address (25/60 of it without credentials); `latency` in seconds,
    one number or (least, most), part of it before the limit is asked, part after; port 0 picks a free one.
    `clock` gives epoch seconds for OAuth. ValueError for an address that is not loopback, unless `public`.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        limit: int = 60,
        window: float = 6.0,
        latency: Latency = 0.0,
        seed: int = 1,
        releases: int = 5000,
        count_refused: bool = False,
        public: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not (public or _is_loopback(host)):
            raise ValueError(f"{host} is not a loopback address; say public to serve it all the same")
        self.world = World(seed=seed, releases=releases)
        self.stopping = Event()
        self._clock = clock
        self._limiter = SlidingWindow(limit, window, count_refused=count_refused)
        self._settings = {
            "limit": limit,
            "window": window,
            "latency": latency,
            "count_refused": count_refused,
        }
        self._script = Script(seed=seed)
        self.ledger = Ledger()
        self._rng = Random(seed)
        self._latency = _span(latency)
        self._pinned_day: date | None = None
        self._day_shift = 0
        self._listener = Listener((host, port), self)
        self._thread: Thread | None = None

    @property
    def url(self) -> str:
        """The base address, without a trailing slash."""
        host, port = self._listener.server_address[:2]
        return f"http://[{host!s}]:{port}" if ":" in str(host) else f"http://{host!s}:{port}"

    def start(self) -> None:
        """Serve from a thread of its own."""
        self._thread = Thread(target=self.serve_forever, name="sandbox-discogs", daemon=True)
        self._thread.start()

    def serve_forever(self) -> None:
        """Serve from this thread until `stop` is called from another."""
        self._listener.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        """Stop serving and end every open connection."""
        self.stopping.set()
        self._listener.shutdown()
        self._listener.server_close()
        self._listener.end_connections()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def today(self) -> date:
        """The world's UTC day."""
        return self._pinned_day or datetime.now(UTC).date() + timedelta(days=self._day_shift)

    def set_day(self, *, shift: int = 0, day: date | str | None = None) -> date:
        """Shift the world so many days from the real one, or pin it to a day ("2026-12-01"); returns the day."""
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
        limiter = self._limiter
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
        per_release {"max", "releases": {"id": n}} for /releases/{id} only, and with `times` the accepted moments
        (seconds of the machine's monotonic clock). Covers and pages count in `routes` alone.
        """
        return self.ledger.stats(self._limiter, times=times)

    def add_user(
        self,
        username: str,
        token: str | None = None,
        *,
        release_ids: Iterable[int] | None = None,
        **more: Any,
    ) -> SandboxUser:
        """Add or replace a user; the arguments of World.add_user."""
        return self.world.add_user(username, token, release_ids=release_ids, **more)

    def set_market(self, release_id: int, **fields: Any) -> None:
        """Override a release's market; the arguments of World.set_market."""
        self.world.set_market(release_id, **fields)

    def authorise(self, request_token: str, username: str) -> str:
        """Authorise the application as this user, as the page does; returns the verifier.

        KeyError for an unknown user or token, grants.Decided for a token in use.
        """
        user = self.world.users[username]
        return self.world.grants.authorise(request_token, user.id, now=self._clock()).verifier

    def revoke(self, username: str) -> int:
        """End every access token this user has granted; returns how many. KeyError for an unknown user."""
        return self.world.grants.revoke(self.world.users[username].id)

    def add_fault(self, path: str, kind: str, **options: Any) -> None:
        """Add a rule as faults.py describes it; ValueError when it is malformed."""
        self._script.add({"path": path, "kind": kind, **options})

    def faults(self) -> list[dict[str, Any]]:
        """The rules in force with their counters `matched` and `struck`."""
        return self._script.as_json()

    def clear_faults(self) -> None:
        """Drop every rule."""
        self._script.clear()

    def reset(self, *parts: str) -> None:
        """Back to the start: "world", "faults", "stats" (with the limit's window) and "settings", or all four."""
        unknown = set(parts) - set(_PARTS)
        if unknown:
            raise ValueError(f"no such part: {sorted(unknown)}")
        chosen = parts or _PARTS
        if "world" in chosen:
            self.world.reset()
            self.set_day()
        if "faults" in chosen:
            self._script.clear()
        if "stats" in chosen:
            self.ledger.clear()
            self._limiter.clear()
        if "settings" in chosen:
            self.set_limit(**self._settings)  # type: ignore[arg-type]

    def answer(self, request: Request) -> Answer:
        """The answer to one request, faults and limit applied; waits out half of the latency."""
        if request.path.startswith(control.PREFIX):
            return control.answer(self, request)
        if name := website.find(request.path):
            self.ledger.request(name, None)
            rule = self._strike(request)
            return _damaged(rule, website.answer(self.world, request, now=self._clock()))
        if not request.headers.get("user-agent"):
            self.ledger.request("no user agent", None)
            return cloudflare(403, "Access denied")
        before, after = self._draw_latency()
        if before:
            self.stopping.wait(before)
        answer = self._limited(request, after)
        self.ledger.status(answer.status)
        return answer

    def _limited(self, request: Request, delay: float) -> Answer:
        verdict = self._limiter.ask(request.client, credentials=bool(auth.claimed(request)))
        if not verdict.accepted:
            return replace(_too_many(verdict), headers=verdict.headers(), delay=delay)
        match = routes.find(request.path)
        self.ledger.request(match.name, match.release_id)
        rule = self._strike(request)
        asked = damage.asked_instead(rule.kind, request) if rule else request
        answer = _damaged(rule, replace(self._routed(match, request, asked), delay=delay))
        return replace(answer, headers=verdict.headers() | answer.headers) if answer.rate_headers else answer

    def _routed(self, match: routes.Match, request: Request, asked: Request) -> Answer:
        base, now = self._base(request), self._clock()
        if request.path in tokens.PATHS:
            return tokens.answer(self.world, request, base=base, now=now)
        try:
            caller = auth.identify(self.world, request, base=base, now=now)
        except Refused as refused:
            return refused.answer
        return routes.answer(match, routes.Call(self.world, base, self.today(), asked, caller))

    def _strike(self, request: Request) -> Rule | None:
        rule = self._script.strike(request.target)
        if rule is not None:
            self.ledger.fault(rule.kind)
        return rule

    def _base(self, request: Request) -> str:
        host = request.headers.get("host", "")
        return f"http://{host}" if _HOST.fullmatch(host) else self.url

    def _draw_latency(self) -> tuple[float, float]:
        minimum, maximum = self._latency
        if not maximum:
            return 0.0, 0.0
        total, share = self._rng.uniform(minimum, maximum), self._rng.random()
        return total * share, total * (1 - share)


def _damaged(rule: Rule | None, answer: Answer) -> Answer:
    return damage.damaged(rule.kind, rule.options, answer) if rule else answer


def _too_many(verdict: Verdict) -> Answer:
    if verdict.refusals % 2:
        return message(429, "You are making requests too quickly.")
    return Answer(status=429)


def _span(latency: Latency | list[float]) -> tuple[float, float]:
    minimum, maximum = latency if isinstance(latency, tuple | list) else (latency, latency)
    return float(minimum), float(maximum)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
