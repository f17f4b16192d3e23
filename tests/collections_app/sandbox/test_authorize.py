"""The page of the sandbox on which a user lets the application in."""

import re
from collections.abc import Iterator
from time import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from collections_app.sandbox.server import SandboxServer

CALLBACK = "http://127.0.0.1:8000/callback/?next=%2Fhome&empty="


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer() as running:
        yield running


def asked(server: SandboxServer, callback: str = CALLBACK, *, now: float | None = None) -> str:
    return server.world.grants.issue(callback, now=time() if now is None else now).token


def show(server: SandboxServer, token: str) -> requests.Response:
    return requests.get(f"{server.url}/oauth/authorize", {"oauth_token": token}, timeout=10)


def choose(server: SandboxServer, token: str, **fields: Any) -> requests.Response:
    address = f"{server.url}/oauth/authorize?oauth_token={token}"
    return requests.post(address, fields, timeout=10, allow_redirects=False)


def test_page_names_application_and_users(server: SandboxServer) -> None:
    server.add_user("<b>ann</b>", release_ids=[])
    answer = show(server, asked(server))

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=UTF-8")
    assert "Crateworth" in answer.text
    assert '<html lang="en">' in answer.text
    assert re.findall(r"<option>(.*?)</option>", answer.text) == [
        "crate_demo",
        "small_shelf",
        "private_crate",
        "&lt;b&gt;ann&lt;/b&gt;",
    ]
    assert {"Authorize", "Deny"} == set(re.findall(r">(\w+)</button>", answer.text))
    assert '<label for="user">' in answer.text
    assert "<script" not in answer.text


def test_approval_returns_a_verifier(server: SandboxServer) -> None:
    token = asked(server)
    answer = choose(server, token, decision="authorize", user="small_shelf")
    parts = urlsplit(answer.headers["Location"])
    told = parse_qs(parts.query, keep_blank_values=True)

    assert answer.status_code == 302
    assert parts._replace(query="").geturl() == "http://127.0.0.1:8000/callback/"
    assert (told["next"], told["empty"], told["oauth_token"]) == (["/home"], [""], [token])
    access = server.world.grants.exchange(token, told["oauth_verifier"][0], now=0)
    assert access is not None
    assert access.user_id == server.world.users["small_shelf"].id


def test_denial_returns_and_ends_the_token(server: SandboxServer) -> None:
    token = asked(server)
    told = parse_qs(urlsplit(choose(server, token, decision="deny").headers["Location"]).query)

    assert told["denied"] == [token]
    assert not {"oauth_token", "oauth_verifier"} & set(told)
    assert choose(server, token, decision="authorize", user="crate_demo").status_code == 410


def test_page_shows_code_without_callback(server: SandboxServer) -> None:
    token = asked(server, "oob")
    answer = choose(server, token, decision="authorize", user="crate_demo")
    code = re.search(r"<code>(\w+)</code>", answer.text)

    assert answer.status_code == 200
    assert code
    assert server.world.grants.exchange(token, code[1], now=0)
    assert choose(server, asked(server, "oob"), decision="deny").status_code == 200


def test_unknown_request_is_404_answered_410(server: SandboxServer) -> None:
    used = asked(server)
    server.authorise(used, "crate_demo")
    statuses = [show(server, token).status_code for token in ("", "nothing", asked(server, now=1.0), used)]

    assert statuses == [404, 404, 404, 410]
    assert "answered before" in show(server, used).text
    assert "expired" in show(server, "nothing").text


@pytest.mark.parametrize(
    "fields", [{}, {"decision": "authorize"}, {"decision": "authorize", "user": "nobody"}, {"decision": "?"}]
)
def test_invalid_choice_grants_nothing(server: SandboxServer, fields: dict[str, str]) -> None:
    token = asked(server)
    answer = choose(server, token, **fields)

    assert answer.status_code == 400
    assert "Nothing was granted" in answer.text
    assert show(server, token).status_code == 200


def test_page_takes_no_share_of_the_limit(server: SandboxServer) -> None:
    answer = show(server, asked(server))

    assert "X-Discogs-Ratelimit" not in answer.headers
    assert server.stats()["routes"] == {"/oauth/authorize": 2, "/login": 1}
    assert server.stats()["accepted"] == 0


def test_other_methods_are_refused(server: SandboxServer) -> None:
    address = f"{server.url}/oauth/authorize?oauth_token={asked(server)}"

    assert requests.delete(address, timeout=10).status_code == 405
