"""The sandbox with its socket: SandboxServer, for tests and the command."""

import ipaddress
import re
import time
from dataclasses import replace
from email.utils import formatdate
from threading import Thread
from types import TracebackType
from typing import Any, Self

from collections_app.sandbox import control, website
from collections_app.sandbox.access import auth, tokens
from collections_app.sandbox.access.limiter import Verdict
from collections_app.sandbox.api import routes
from collections_app.sandbox.faults import damage
from collections_app.sandbox.faults.script import Rule
from collections_app.sandbox.http.answer import Answer, Refused, Request, cloudflare, message
from collections_app.sandbox.http.listener import Listener
from collections_app.sandbox.state import Sandbox

_HOST = re.compile(r"[A-Za-z0-9.\-]+(:[0-9]+)?|\[[0-9a-fA-F:]+\](:[0-9]+)?")


class SandboxServer(Sandbox):
    """A sandbox Discogs: `with SandboxServer(limit=60, window=6) as sandbox: … sandbox.url …`

    `settings` are those of Sandbox; port 0 picks a free one. ValueError for an address that is not loopback, unless
    `public`.
    """

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, public: bool = False, **settings: Any
    ) -> None:
        if not (public or _is_loopback(host)):
            raise ValueError(f"{host} is not a loopback address; say public to serve it all the same")
        super().__init__(**settings)
        self._listener = Listener(
            (host, port),
            answer=self.dated_answer,
            on_connection=self.ledger.connection,
            stopping=self.stopping,
        )
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

    def dated_answer(self, request: Request) -> Answer:
        """The answer with its Date header, which follows the sandbox's clock."""
        answer = self.answer(request)
        return replace(answer, headers={"Date": formatdate(self.clock(), usegmt=True)} | answer.headers)

    def answer(self, request: Request) -> Answer:
        """The answer to one request, faults and limit applied; waits for the first part of the latency."""
        if request.path.startswith(control.PREFIX):
            return control.answer(self, request)
        if name := website.find(request.path):
            self.ledger.request(name, None)
            rule = self._strike(request)
            page = website.answer(self.world, request, now=self.clock(), login_mode=self.login)
            return _damaged(rule, page)
        if not request.headers.get("user-agent"):
            self.ledger.request("no user agent", None)
            return cloudflare(403, "Access denied")
        before, after = self.draw_latency()
        if before:
            self.stopping.wait(before)
        started = time.perf_counter()
        answer = self._limited(request, after)
        self.ledger.seconds(time.perf_counter() - started)
        self.ledger.status(answer.status)
        return answer

    def _limited(self, request: Request, delay: float) -> Answer:
        verdict = self.limiter.ask(request.client, credentials=bool(auth.claimed(request)))
        if not verdict.accepted:
            return replace(_too_many(verdict), headers=verdict.headers(), delay=delay)
        match = routes.find(request.path)
        self.ledger.request(match.name, match.release_id)
        rule = self._strike(request)
        asked = damage.asked_instead(rule.kind, request) if rule else request
        answer = _damaged(rule, replace(self._routed(match, request, asked), delay=delay))
        return replace(answer, headers=verdict.headers() | answer.headers) if answer.rate_headers else answer

    def _routed(self, match: routes.Match, request: Request, asked: Request) -> Answer:
        base, now = self._base(request), self.clock()
        if request.path in tokens.PATHS:
            return tokens.answer(self.world, request, base=base, now=now)
        try:
            caller = auth.identify(self.world, request, base=base, now=now)
        except Refused as refused:
            return refused.answer
        return routes.answer(match, routes.Call(self.world, base, self.today(), asked, caller))

    def _strike(self, request: Request) -> Rule | None:
        rule = self.script.strike(request.target)
        if rule is not None:
            self.ledger.fault(rule.kind)
        return rule

    def _base(self, request: Request) -> str:
        host = request.headers.get("host", "")
        return f"http://{host}" if _HOST.fullmatch(host) else self.url


def _damaged(rule: Rule | None, answer: Answer) -> Answer:
    return damage.damaged(rule.kind, rule.options, answer) if rule else answer


def _too_many(verdict: Verdict) -> Answer:
    if verdict.refusals % 2:
        return message(429, "You are making requests too quickly.")
    return Answer(status=429)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
