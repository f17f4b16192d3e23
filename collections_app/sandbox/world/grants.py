"""OAuth grants: request tokens, access tokens, nonces. No clock: `now` is in epoch seconds."""

import secrets
from collections import deque
from dataclasses import dataclass, replace
from string import ascii_letters
from threading import Lock
from typing import Literal

LIFETIME = 15 * 60.0  # seconds of a request token
WINDOW = 10 * 60.0  # seconds a timestamp may be off, either way
_MAX_REQUESTS = 1_000  # kept; the oldest go first

State = Literal["waiting", "authorised", "denied", "used"]


@dataclass(frozen=True, slots=True)
class RequestToken:
    """A request for access. `callback` is an address or "oob"; user and verifier are set once it is authorised."""

    token: str
    secret: str
    callback: str
    issued_at: float
    state: State = "waiting"
    user_id: int | None = None
    verifier: str = ""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token that does not expire; it ends if it is revoked or its user replaced."""

    token: str
    secret: str
    user_id: int


class Decided(Exception):
    """The request token is used, denied or authorised already."""


class Grants:
    """All tokens of one world. Safe for threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.clear()

    def clear(self) -> None:
        """Delete every token and every nonce."""
        with self._lock:
            self._requests: dict[str, RequestToken] = {}
            self._access: dict[str, AccessToken] = {}
            self._seen: set[tuple[str, str, str]] = set()
            self._seen_in_order: deque[tuple[float, tuple[str, str, str]]] = deque()

    def issue(self, callback: str, *, now: float) -> RequestToken:
        """A new request token."""
        issued = RequestToken(_letters(40), _letters(40), callback, now)
        with self._lock:
            while len(self._requests) >= _MAX_REQUESTS:
                del self._requests[next(iter(self._requests))]
            self._requests[issued.token] = issued
        return issued

    def request(self, token: str, *, now: float) -> RequestToken | None:
        """The request token, decided or not; None if it is unknown or expired."""
        found = self._requests.get(token)
        return found if found and now < found.issued_at + LIFETIME else None

    def authorise(self, token: str, user_id: int, *, now: float) -> RequestToken:
        """Authorise the application as this user. KeyError for an unknown or expired token, Decided for a used one."""
        return self._decide(token, now=now, state="authorised", user_id=user_id, verifier=_letters(10))

    def deny(self, token: str, *, now: float) -> RequestToken:
        """Refuse a request. KeyError for an unknown or expired token, Decided for a used one."""
        return self._decide(token, now=now, state="denied")

    def exchange(self, token: str, verifier: str, *, now: float) -> AccessToken | None:
        """The access token for an authorised request, once; None if the request or its verifier is invalid."""
        with self._lock:
            found = self.request(token, now=now)
            if found is None or found.state != "authorised" or found.user_id is None:
                return None
            if not secrets.compare_digest(found.verifier.encode(), verifier.encode()):
                return None
            self._requests[token] = replace(found, state="used")
            access = AccessToken(_letters(40), _letters(40), found.user_id)
            self._access[access.token] = access
            return access

    def access(self, token: str) -> AccessToken | None:
        """The access token, if it is valid."""
        return self._access.get(token)

    def revoke(self, user_id: int) -> int:
        """End all grants of this user, unused authorisations too; returns how many access tokens ended."""
        with self._lock:
            ended = [token for token, access in self._access.items() if access.user_id == user_id]
            unused = [token for token, request in self._requests.items() if request.user_id == user_id]
            for token in ended:
                del self._access[token]
            for token in unused:
                del self._requests[token]
        return len(ended)

    def is_new(self, token: str, timestamp: str, nonce: str, *, now: float) -> bool:
        """Whether this nonce is new with this timestamp and token; it is recorded."""
        key = token, timestamp, nonce
        with self._lock:
            # A timestamp may also be ahead by the window; after twice the window it is refused anyway.
            while self._seen_in_order and self._seen_in_order[0][0] < now - 2 * WINDOW:
                self._seen.discard(self._seen_in_order.popleft()[1])
            if key in self._seen:
                return False
            self._seen.add(key)
            self._seen_in_order.append((now, key))
            return True

    def _decide(
        self, token: str, *, now: float, state: State, user_id: int | None = None, verifier: str = ""
    ) -> RequestToken:
        with self._lock:
            found = self.request(token, now=now)
            if found is None:
                raise KeyError(token)
            if found.state != "waiting":
                raise Decided(found.state)
            decided = replace(found, state=state, user_id=user_id, verifier=verifier)
            self._requests[token] = decided
            return decided


def _letters(count: int) -> str:
    return "".join(secrets.choice(ascii_letters) for _ in range(count))
