"""OAuth 1.0a of the sandbox Discogs, asked by two independent clients."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import discogs_client
import pytest
import requests
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, SIGNATURE_PLAINTEXT
from requests_oauthlib import OAuth1, OAuth1Session

from collections_app.sandbox.access.auth import CONSUMER_KEY, CONSUMER_SECRET
from collections_app.sandbox.server import SandboxServer
from collections_app.sandbox.world.grants import Decided
from tests.collections_app.sandbox.sandbox_client import AGENT, Api

CALLBACK = "http://127.0.0.1:8000/discogs/callback/?next=here"
COLLECTION = "/users/private_crate/collection/folders/0/releases"


class Clock:
    """Real time, shifted: the clients sign with the real one."""

    shift = 0.0

    def __call__(self) -> float:
        return time.time() + self.shift


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[SandboxServer]:
    with SandboxServer(limit=100_000, clock=clock) as running:
        yield running


def signing(**more: Any) -> OAuth1:
    """Signs as the application; with `resource_owner_key` and `_secret` for a user."""
    return OAuth1(CONSUMER_KEY, **{"client_secret": CONSUMER_SECRET, **more})


def ask(server: SandboxServer, path: str, auth: Any, method: str = "GET") -> requests.Response:
    headers = {"User-Agent": AGENT}
    return requests.request(method, server.url + path, auth=auth, headers=headers, timeout=10)


def pairs(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/x-www-form-urlencoded"
    return dict(parse_qsl(answer.text))


def requested(server: SandboxServer, callback: str = CALLBACK) -> dict[str, str]:
    return pairs(ask(server, "/oauth/request_token", signing(callback_uri=callback)))


def exchange(server: SandboxServer, asked: dict[str, str], verifier: str) -> requests.Response:
    auth = signing(
        resource_owner_key=asked["oauth_token"],
        resource_owner_secret=asked["oauth_token_secret"],
        verifier=verifier,
    )
    return ask(server, "/oauth/access_token", auth, "POST")


def access(server: SandboxServer, username: str = "private_crate", **more: Any) -> OAuth1:
    """Signs as this user, who has let us in."""
    asked = requested(server)
    told = pairs(exchange(server, asked, server.authorise(asked["oauth_token"], username)))
    return signing(
        resource_owner_key=told["oauth_token"], resource_owner_secret=told["oauth_token_secret"], **more
    )


def test_requests_oauthlib_session_gets_in(server: SandboxServer) -> None:
    session = OAuth1Session(CONSUMER_KEY, client_secret=CONSUMER_SECRET, callback_uri=CALLBACK)
    session.headers["User-Agent"] = AGENT
    asked = session.fetch_request_token(f"{server.url}/oauth/request_token")
    page = session.authorization_url(f"{server.url}/oauth/authorize")
    choice = {"decision": "authorize", "user": "small_shelf"}
    back = requests.post(page, data=choice, timeout=10, allow_redirects=False)
    session.parse_authorization_response(back.headers["Location"])
    session.fetch_access_token(f"{server.url}/oauth/access_token")

    assert asked["oauth_callback_confirmed"] == "true"
    assert session.get(f"{server.url}/oauth/identity").json()["username"] == "small_shelf"


def test_reference_client_gets_in(server: SandboxServer) -> None:
    client = discogs_client.Client(AGENT, consumer_key=CONSUMER_KEY, consumer_secret=CONSUMER_SECRET)
    client._base_url = server.url
    client._request_token_url = f"{server.url}/oauth/request_token"
    client._access_token_url = f"{server.url}/oauth/access_token"
    client._authorize_url = f"{server.url}/oauth/authorize"
    client.backoff_enabled = False
    token, _, page = client.get_authorize_url(CALLBACK)
    choice = {"decision": "authorize", "user": "crate_demo"}
    back = requests.post(page, data=choice, timeout=10, allow_redirects=False)
    told = parse_qs(urlsplit(back.headers["Location"]).query)
    client.get_access_token(told["oauth_verifier"][0])

    assert (told["oauth_token"], told["next"]) == ([token], ["here"])
    assert client.identity().username == "crate_demo"
    assert client.identity().collection_folders[0].count == 400


def test_signed_owner_sees_private_data(server: SandboxServer) -> None:
    owner, other = access(server), access(server, "crate_demo")

    assert ask(server, f"{COLLECTION}?per_page=100&sort=added&sort_order=asc", owner).status_code == 200
    assert ask(server, COLLECTION, other).status_code == 403


@pytest.mark.parametrize("method", [SIGNATURE_HMAC_SHA1, SIGNATURE_PLAINTEXT])
@pytest.mark.parametrize("query", ["", "?q=a+b%20c&q=%C3%A9%2F~&empty=", "?b=2&a=1&a=0&%3D=%26"])
def test_any_query_can_be_signed_both_ways(server: SandboxServer, method: str, query: str) -> None:
    auth = access(server, signature_method=method)

    assert ask(server, f"/oauth/identity{query}", auth).status_code == 200


def test_form_is_part_of_the_signature(server: SandboxServer) -> None:
    signed = requests.Request(
        "POST", f"{server.url}/oauth/request_token", data={"a": "1 & 2"}, auth=signing(callback_uri="oob")
    ).prepare()
    signed.headers["User-Agent"] = AGENT
    with requests.Session() as session:
        assert session.send(signed, timeout=10).status_code == 200
        tampered = session.send(_with_body(signed, "a=3"), timeout=10)
    assert (tampered.status_code, tampered.text) == (401, "Invalid consumer.")


def _with_body(signed: requests.PreparedRequest, body: str) -> requests.PreparedRequest:
    other = signed.copy()
    other.prepare_body(body, None)
    return other


def test_oauth_counts_as_credentials_in_limit(server: SandboxServer) -> None:
    for path, auth in (
        ("/oauth/identity", access(server)),
        ("/oauth/request_token", signing(callback_uri="oob")),
    ):
        assert ask(server, path, auth).headers["X-Discogs-Ratelimit"] == "100000"


def test_application_alone_sees_public_data(server: SandboxServer) -> None:
    assert ask(server, "/releases/7", signing()).status_code == 200
    assert ask(server, "/oauth/identity", signing()).status_code == 401
    assert ask(server, COLLECTION, signing()).status_code == 403


@pytest.mark.parametrize(
    "auth",
    [
        OAuth1("another-key", client_secret=CONSUMER_SECRET, callback_uri="oob"),
        OAuth1(CONSUMER_KEY, client_secret="another-secret", callback_uri="oob"),
        signing(callback_uri="oob", signature_method=SIGNATURE_PLAINTEXT, client_secret="another-secret"),
        signing(callback_uri="oob", timestamp="17"),
        None,
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_foreign_request_token_is_refused(server: SandboxServer, auth: Any, method: str) -> None:
    answer = ask(server, "/oauth/request_token", auth, method)

    assert (answer.status_code, answer.text) == (401, "Invalid consumer.")
    assert answer.headers["Content-Type"] == "text/plain"


@pytest.mark.parametrize("callback", ["javascript:alert(1)", "http://x/\r\nSet-Cookie: a=b", "http://ä/"])
def test_malformed_callback_is_refused(server: SandboxServer, callback: str) -> None:
    answer = ask(server, "/oauth/request_token", signing(callback_uri=callback))

    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "text/plain")


@pytest.mark.parametrize("verifier", ["", "wrong", "ü"])
def test_wrong_verifier_leaves_the_right_one(server: SandboxServer, verifier: str) -> None:
    asked = requested(server)
    right = server.authorise(asked["oauth_token"], "crate_demo")
    refused = exchange(server, asked, verifier)

    assert (refused.status_code, refused.headers["Content-Type"]) == (401, "text/plain")
    assert exchange(server, asked, right).status_code == 200


def test_request_token_is_used_once(server: SandboxServer) -> None:
    asked = requested(server)
    verifier = server.authorise(asked["oauth_token"], "crate_demo")

    assert [exchange(server, asked, verifier).status_code for _ in range(2)] == [200, 401]
    with pytest.raises(Decided):
        server.authorise(asked["oauth_token"], "crate_demo")


def test_unapproved_request_gives_no_access(server: SandboxServer) -> None:
    waiting, denied = requested(server), requested(server)
    server.world.grants.deny(denied["oauth_token"], now=0)

    assert exchange(server, waiting, "").status_code == 401
    assert exchange(server, denied, "").status_code == 401
    assert exchange(server, {"oauth_token": "x", "oauth_token_secret": "y"}, "z").status_code == 401


def test_request_token_lives_fifteen_minutes(server: SandboxServer, clock: Clock) -> None:
    clock.shift = -14.8 * 60
    auth = signing(callback_uri="oob", timestamp=str(int(clock())))
    asked = pairs(ask(server, "/oauth/request_token", auth))
    verifier = server.authorise(asked["oauth_token"], "crate_demo")
    late = pairs(
        ask(server, "/oauth/request_token", signing(callback_uri="oob", timestamp=str(int(clock()))))
    )
    clock.shift = 0
    assert exchange(server, asked, verifier).status_code == 200
    clock.shift = 5 * 60
    with pytest.raises(KeyError):
        server.authorise(late["oauth_token"], "crate_demo")
    assert exchange(server, late, "x").text == "Invalid request token."


def test_bad_signature_fails_on_public_routes(server: SandboxServer) -> None:
    good = access(server)
    bad = signing(resource_owner_key=good.client.resource_owner_key, resource_owner_secret="other")
    answer = ask(server, "/releases/7", bad)

    assert (answer.status_code, answer.json()) == (401, {"message": "Invalid signature."})


def prepared(server: SandboxServer, path: str, auth: OAuth1) -> requests.PreparedRequest:
    signed = requests.Request("GET", server.url + path, auth=auth, headers={"User-Agent": AGENT}).prepare()
    signed.headers["Authorization"] = _text(signed.headers["Authorization"])
    return signed


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def send(signed: requests.PreparedRequest) -> requests.Response:
    with requests.Session() as session:
        return session.send(signed, timeout=10)


@pytest.mark.parametrize("tampered", ["page=2", "page=1&more=1", ""])
def test_tampered_query_is_refused(server: SandboxServer, tampered: str) -> None:
    signed = prepared(server, f"{COLLECTION}?page=1", access(server))
    signed.url = f"{server.url}{COLLECTION}?{tampered}"

    assert send(signed).status_code == 401


def test_replayed_request_is_refused(server: SandboxServer) -> None:
    signed = prepared(server, COLLECTION, access(server))

    assert [send(signed).status_code for _ in range(3)] == [200, 401, 401]
    assert send(signed).headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(("minutes", "status"), [(-11, 401), (-9, 200), (9, 200), (11, 401)])
def test_timestamp_may_be_ten_minutes_off(
    server: SandboxServer, clock: Clock, minutes: int, status: int
) -> None:
    auth = access(server, timestamp=str(int(clock()) + minutes * 60))

    assert ask(server, COLLECTION, auth).status_code == status


@pytest.mark.parametrize("odd", [{"nonce": "n" * 65}, {"timestamp": "1767225600000"}])
def test_odd_nonce_or_timestamp_sees_public_data(server: SandboxServer, odd: dict[str, str]) -> None:
    def odd_one() -> OAuth1:
        return access(server, **odd)

    refused = ask(server, COLLECTION, odd_one())

    assert ask(server, "/oauth/identity", odd_one()).json()["username"] == "private_crate"
    assert refused.status_code == 403
    assert refused.json()["message"].startswith("You are not allowed")
    assert ask(server, "/releases/7", odd_one()).status_code == 200


def test_nonce_of_64_characters_is_accepted(server: SandboxServer) -> None:
    assert ask(server, COLLECTION, access(server, nonce="n" * 64)).status_code == 200


@pytest.mark.parametrize("header", ["OAuth", "OAuth x", 'OAuth a="1", a="1"', 'OAuth oauth_version="2.0"'])
def test_malformed_header_is_refused(api: Api, header: str) -> None:
    assert api.get("/releases/7", auth=header).status_code == 401
    assert api.get("/oauth/request_token", auth=header).status_code == 401


def test_revoked_access_is_refused_as_unknown(server: SandboxServer, api: Api) -> None:
    owner, other = access(server), access(server, "crate_demo")
    assert api.control("oauth", {"revoke": "private_crate"}) == {"revoked": 1}
    refused = ask(server, "/oauth/identity", owner)

    assert refused.status_code == 401
    assert refused.json()["message"].startswith("Invalid consumer token.")
    assert ask(server, "/oauth/identity", other).status_code == 200
    assert server.revoke("private_crate") == 0


def test_reset_revokes_all_access(server: SandboxServer) -> None:
    server.add_user("ann", release_ids=[1])
    ann, demo = access(server, "ann"), access(server, "crate_demo")
    server.add_user("ann", release_ids=[1])
    assert ask(server, "/oauth/identity", ann).status_code == 401
    assert ask(server, "/oauth/identity", demo).status_code == 200
    server.reset("world")
    assert ask(server, "/oauth/identity", demo).status_code == 401


def test_access_outlives_collection_changes(server: SandboxServer) -> None:
    demo = access(server, "crate_demo")
    server.world.add_copies("crate_demo", [7])

    assert ask(server, "/oauth/identity", demo).status_code == 200


def test_access_token_needs_post(server: SandboxServer) -> None:
    asked = requested(server)
    auth = signing(resource_owner_key=asked["oauth_token"], resource_owner_secret=asked["oauth_token_secret"])
    answer = ask(server, "/oauth/access_token", auth)

    assert (answer.status_code, answer.headers["Content-Type"]) == (405, "text/plain")
