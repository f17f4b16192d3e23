"""The client of the Discogs API. Each request passes the gate and has a total deadline and a size limit.

Credentials travel in a header only. Nothing is retried here and no redirect is followed: a failure is raised as one of
`errors`, and the caller decides what to do about it.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar
from urllib.parse import quote

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3 import Retry
from urllib3.exceptions import DecodeError, HTTPError

from collections_app.currencies import CURRENCIES
from collections_app.discogs import collection_payloads, errors, market_payloads, oauth, payloads
from collections_app.discogs.answers import Headers, accepted_body, parse_rate_headers
from collections_app.discogs.gate import PATIENCE, Gate, configured_gate
from collections_app.discogs.json_values import parse_json

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT, READ_TIMEOUT = 3.0, 10.0  # seconds
DEADLINE = 20.0  # seconds for the whole exchange: a body sent slowly never reaches the read timeout
MAX_BYTES = 5_000_000  # decoded: a small gzip can hold a large body
CHUNK = 65_536
PAGE_SIZE = 100  # Discogs clamps larger values

T = TypeVar("T")


class SellerSettingsMissing(errors.NotFound):
    """404 for the suggestions of a release that exists: the account has not filled in its seller settings."""

    kind = errors.Kind.SELLER_SETTINGS


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials of a request. The secret is kept out of every representation."""

    auth: AuthBase = field(repr=False)

    @classmethod
    def from_token(cls, token: str) -> "Credentials":
        return cls(HeaderAuth(f"Discogs token={token}"))

    @classmethod
    def from_consumer(cls, key: str, secret: str) -> "Credentials":
        """The site's own credentials: for public data, at the full rate limit."""
        return cls(HeaderAuth(f"Discogs key={key}, secret={secret}"))

    @classmethod
    def from_oauth(cls, token: oauth.Token) -> "Credentials":
        return cls(oauth.to_act_for(token))


class HeaderAuth(AuthBase):
    """Sends a fixed Authorization header."""

    def __init__(self, header: str) -> None:
        self._header = header

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._header
        return request


class DirectSession(requests.Session):
    """A session that knows no redirects.

    Even if it may not follow one, requests reads the whole body of a redirect, without deadline or size limit, and
    parses its Location, which raises ValueError for a malformed one.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def new_session() -> requests.Session:
    """A session with keep-alive, for one process: create it after the fork."""
    session = DirectSession()
    session.trust_env = False  # ignore proxies and .netrc of the machine
    # Cookies of one answer would go out with the requests of other users.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    session.headers.update(
        {"User-Agent": settings.DISCOGS_USER_AGENT, "Accept": "application/json", "Accept-Encoding": "gzip"}
    )
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=2, max_retries=Retry(0, read=False))
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class DiscogsClient:
    """Sends requests to Discogs with one set of credentials."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        gate: Gate | None = None,
        session: requests.Session | None = None,
        interactive: bool = False,
        patience: float = PATIENCE,
    ) -> None:
        self._credentials = credentials
        self._gate = gate or configured_gate()
        self._session = session or new_session()
        self._interactive, self._patience = interactive, patience
        self.requests_sent = 0
        self.answered_in = 0.0  # seconds the last request took, without the wait for its slot

    def identity(self) -> payloads.Identity:
        return self._get("/oauth/identity", parse=payloads.parse_identity)

    def request_token(self) -> oauth.Token:
        """The first of OAuth's two tokens; the credentials name the callback."""
        return self._ask("GET", "/oauth/request_token", read=oauth.parse_token)

    def access_token(self) -> oauth.Token:
        """The second, permanent token; the credentials carry the first one and the verifier."""
        return self._ask("POST", "/oauth/access_token", read=oauth.parse_token)

    def collection_folders(
        self, username: str
    ) -> collection_payloads.Rows[collection_payloads.FolderPayload]:
        path = f"/users/{_segment(username)}/collection/folders"
        return self._get(path, parse=collection_payloads.parse_folders)

    def collection_fields(self, username: str) -> collection_payloads.Rows[collection_payloads.FieldPayload]:
        path = f"/users/{_segment(username)}/collection/fields"
        return self._get(path, parse=collection_payloads.parse_fields)

    def wants_page(self, username: str, page: int) -> collection_payloads.WantPage:
        """One page of the wantlist. Raises NotFound past the last page."""
        query = {"page": page, "per_page": PAGE_SIZE}
        path = f"/users/{_segment(username)}/wants"
        return self._get(path, query, parse=collection_payloads.parse_want_page)

    def collection_page(self, username: str, page: int) -> collection_payloads.CopyPage:
        """One page of all copies, oldest first, so that one added during the import pass comes last.

        Raises NotFound past the last page.
        """
        path = f"/users/{_segment(username)}/collection/folders/0/releases"
        query = {"page": page, "per_page": PAGE_SIZE, "sort": "added", "sort_order": "asc"}
        return self._get(path, query, parse=collection_payloads.parse_copy_page)

    def release_market(self, discogs_id: int) -> payloads.Market:
        parse = partial(payloads.parse_release_market, discogs_id=discogs_id)
        return self._get(f"/releases/{int(discogs_id)}", {"curr_abbr": "USD"}, parse=parse)

    def market_stats(self, discogs_id: int, currency: str) -> market_payloads.MarketStats:
        """The lowest price in one of Discogs' currencies. Discogs would silently ignore an unknown one."""
        if currency not in CURRENCIES:
            raise ValueError(f"{currency!r} is not a currency of Discogs")
        parse = partial(market_payloads.parse_market_stats, currency=currency)
        return self._get(f"/marketplace/stats/{int(discogs_id)}", {"curr_abbr": currency}, parse=parse)

    def price_suggestions(self, discogs_id: int) -> tuple[market_payloads.Suggestion, ...]:
        """Suggestions by grade, in the account's selling currency; empty when there are none.

        Only for releases known to exist: a 404 raises SellerSettingsMissing.
        """
        path = f"/marketplace/price_suggestions/{int(discogs_id)}"
        try:
            return self._get(path, parse=market_payloads.parse_suggestions)
        except errors.NotFound:
            raise SellerSettingsMissing("Discogs requires the seller settings to be filled in.") from None

    def collection_range(self, username: str) -> market_payloads.CollectionRange:
        """Discogs' own estimate of a collection. With the credentials of its owner only: others are denied access."""
        path = f"/users/{_segment(username)}/collection/value"
        return self._get(path, parse=market_payloads.parse_collection_range)

    def listing_search(self, discogs_id: int) -> bool:
        """Whether Discogs answers a search of a release's listings, which is not a public route.

        A 401 means the same as a 404 there; it does not mean that the credentials are rejected.
        """
        refused = errors.NotFound, errors.CredentialsRejected, errors.AccessDenied, errors.RequestRefused
        try:
            self._get("/marketplace/search", {"release_id": int(discogs_id)}, parse=lambda _: None)
        except refused:
            return False
        return True

    def _get(self, path: str, query: dict[str, Any] | None = None, *, parse: Callable[[Any], T]) -> T:
        return self._ask("GET", path, query, read=lambda body: parse(parse_json(body)))

    def _ask(
        self, method: str, path: str, query: dict[str, Any] | None = None, *, read: Callable[[bytes], T]
    ) -> T:
        """read: of the whole answer, so that one of the wrong shape counts as a fault and not as a success."""
        self._gate.take_slot(interactive=self._interactive, patience=self._patience)
        self.requests_sent += 1
        started = time.monotonic()
        headers: Headers = {}
        try:
            status, headers, body = self._exchange(method, path, query or {})
            self.answered_in = time.monotonic() - started
            logger.debug("%s %s: %s in %.2f s", method, path, status, self.answered_in)
            data = read(accepted_body(status, headers, body))
        except errors.RateLimited as error:
            self._gate.record_refusal(error.retry_after)
            raise
        except errors.DiscogsError as error:
            if error.is_fault:
                error.opened_breaker = self._gate.record_fault()
            else:
                self._gate.record_success(self.answered_in, parse_rate_headers(headers))
            raise
        self._gate.record_success(self.answered_in, parse_rate_headers(headers))
        return data

    def _exchange(self, method: str, path: str, query: dict[str, Any]) -> tuple[int, Headers, bytes]:
        deadline = time.monotonic() + DEADLINE
        try:
            with self._session.request(
                method,
                settings.DISCOGS_API_URL + path,
                params=query,
                auth=self._credentials.auth,
                timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
                allow_redirects=False,
                stream=True,
            ) as response:
                return response.status_code, response.headers, _body(response, deadline)
        except DecodeError:
            raise errors.BadPayload("The answer of Discogs cannot be decompressed.") from None
        except (requests.RequestException, HTTPError) as error:
            # The texts of these exceptions contain addresses: keep the type only.
            logger.debug("%s %s: no answer (%s)", method, path, type(error).__name__)
            raise errors.NetworkError(f"No answer from Discogs ({type(error).__name__}).") from None


def _body(response: requests.Response, deadline: float) -> bytes:
    """Read the decoded body in pieces, within the deadline and the size limit."""
    body = bytearray()
    # read1 returns what has arrived; read would wait for a full chunk, past the deadline.
    while piece := response.raw.read1(CHUNK, decode_content=True):
        body += piece
        if len(body) > MAX_BYTES:
            raise errors.BadPayload("The answer of Discogs is too large.")
        if time.monotonic() > deadline:
            raise errors.NetworkError("Discogs did not finish its answer in time.")
    return bytes(body)


def _segment(username: str) -> str:
    """A user name as one path segment."""
    return quote(username, safe="")
