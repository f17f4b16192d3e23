"""The sandbox Discogs over HTTP: credentials, collections and all that is not a price."""

import socket
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from collections_app.sandbox.server import SandboxServer
from tests.collections_app.sandbox.sandbox_client import SMALL, Api

COLLECTION = "/users/crate_demo/collection/folders/0/releases"


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(limit=100_000) as running:
        yield running


def test_missing_user_agent_is_html_403(server: SandboxServer) -> None:
    with socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1]))) as raw:
        raw.sendall(b"GET /releases/7 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = raw.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 403")
    assert b"text/html" in answer
    assert b"Ratelimit" not in answer


def test_identity_names_the_token_owner(api: Api) -> None:
    assert api.get("/oauth/identity").json()["username"] == "crate_demo"
    assert api.get("/oauth/identity", auth=SMALL).json()["username"] == "small_shelf"
    assert api.get("/oauth/identity", auth=None).status_code == 401


def test_unknown_token_is_401_on_public_routes(api: Api) -> None:
    answer = api.get("/releases/7", auth="Discogs token=revoked")

    assert answer.status_code == 401
    assert answer.json()["message"].startswith("Invalid consumer token.")
    assert answer.headers["X-Discogs-Ratelimit"] == "100000"


def test_consumer_key_gives_full_limit_only(api: Api) -> None:
    good = "Discogs key=sandbox-key, secret=sandbox-secret"
    answer = api.get("/releases/7", auth=good)

    assert (answer.status_code, answer.headers["X-Discogs-Ratelimit"]) == (200, "100000")
    assert api.get("/oauth/identity", auth=good).status_code == 401


def test_wrong_consumer_key_is_plain_text(api: Api) -> None:
    answer = api.get("/releases/7", auth="Discogs key=sandbox-key, secret=wrong")

    assert (answer.status_code, answer.text) == (401, "Invalid consumer.")
    assert answer.headers["Content-Type"] == "text/plain"


def test_token_in_query_is_echoed_in_page_links(api: Api) -> None:
    answer = api.get(f"{COLLECTION}?token=sandbox-demo-token", auth=None)

    assert "sandbox-demo-token" in answer.json()["pagination"]["urls"]["next"]


def test_private_collection_is_for_its_owner(api: Api) -> None:
    for path in ("collection/folders", "collection/fields", "collection/folders/0/releases", "wants"):
        refused = api.get(f"/users/private_crate/{path}")
        assert (refused.status_code, refused.headers["Content-Type"]) == (403, "application/json")
        assert refused.json()["message"].startswith("You are not allowed to view this resource.")
        own = api.get(f"/users/private_crate/{path}", auth="Discogs token=sandbox-private-token")
        assert own.status_code == 200
    assert "num_collection" not in api.get("/users/private_crate").json()


def test_others_see_folder_0_and_public_notes(api: Api) -> None:
    folders = api.get("/users/crate_demo/collection/folders", auth=SMALL).json()["folders"]
    rows = api.get(f"{COLLECTION}?per_page=100", auth=SMALL).json()["releases"]

    assert [folder["id"] for folder in folders] == [0]
    assert api.get("/users/crate_demo/collection/folders/1/releases", auth=SMALL).status_code == 403
    assert {note["field_id"] for row in rows for note in row.get("notes", ())} == {1, 2}


def test_collection_value_is_text_for_the_owner(api: Api) -> None:
    value = api.get("/users/crate_demo/collection/value").json()
    amounts = [
        Decimal(value[name].removeprefix("€").replace(",", "")) for name in ("minimum", "median", "maximum")
    ]

    assert amounts == sorted(amounts)
    assert value["median"][0] == "€"
    assert api.get("/users/crate_demo/collection/value", auth=SMALL).status_code == 403


def collection(api: Api, page: int, **query: object) -> Any:
    extra = "".join(f"&{name}={value}" for name, value in query.items())
    return api.get(f"{COLLECTION}?page={page}&per_page=100{extra}").json()


def test_pages_hold_every_copy_once(api: Api) -> None:
    rows = [row for page in range(1, 5) for row in collection(api, page)["releases"]]

    assert len({row["instance_id"] for row in rows}) == len(rows) == 400
    assert any("notes" not in row for row in rows)
    assert all(isinstance(f["qty"], str) for row in rows for f in row["basic_information"]["formats"])
    assert any(row["basic_information"]["year"] == 0 for row in rows)
    assert any(row["basic_information"]["master_url"] is None for row in rows)
    assert not {"country", "tracklist", "lowest_price"} & set(rows[0]["basic_information"])


def test_page_size_is_clamped_to_100(api: Api) -> None:
    page = api.get(f"{COLLECTION}?per_page=500").json()

    assert (page["pagination"]["per_page"], len(page["releases"])) == (100, 100)


def test_page_links_end_at_both_ends(api: Api) -> None:
    assert set(collection(api, 1)["pagination"]["urls"]) == {"next", "last"}
    assert set(collection(api, 2)["pagination"]["urls"]) == {"first", "prev", "next", "last"}
    last = collection(api, 4)["pagination"]
    assert (set(last["urls"]), last["pages"], last["items"]) == ({"first", "prev"}, 4, 400)


def test_page_past_the_end_is_404(api: Api) -> None:
    assert api.get(f"{COLLECTION}?page=5&per_page=100").status_code == 404
    assert api.get("/users/crate_demo/wants?page=3").status_code == 404


def test_empty_collection_has_one_empty_page(api: Api, server: SandboxServer) -> None:
    server.add_user("newcomer", "new", release_ids=[])
    page = api.get("/users/newcomer/collection/folders/0/releases", auth="Discogs token=new").json()

    assert (page["releases"], page["pagination"]["pages"], page["pagination"]["items"]) == ([], 1, 0)


@pytest.mark.parametrize("query", ["sort=price", "sort_order=up", "page=0", "page=x", "per_page=-1"])
def test_bad_parameters_are_422(api: Api, query: str) -> None:
    answer = api.get(f"{COLLECTION}?{query}")

    assert answer.status_code == 422
    assert set(answer.json()["detail"][0]) == {"loc", "msg", "type"}


@pytest.mark.parametrize("sort", ["label", "artist", "title", "catno", "format", "rating", "added", "year"])
def test_every_sort_can_be_reversed(api: Api, sort: str) -> None:
    rising, falling = (
        [
            row["instance_id"]
            for n in range(1, 5)
            for row in collection(api, n, sort=sort, sort_order=order)["releases"]
        ]
        for order in ("asc", "desc")
    )

    assert rising == falling[::-1]


def test_profile_may_have_an_empty_currency(api: Api) -> None:
    assert api.get("/users/crate_demo").json()["curr_abbr"] == "EUR"
    assert api.get("/users/small_shelf").json()["curr_abbr"] == ""
    assert api.get("/users/nobody_here").status_code == 404


@pytest.mark.parametrize(
    "path", ["/releases/7/", "/users/crate_demo/", "/releases/0", "/releases/x", "/nothing"]
)
def test_unknown_routes_are_404(api: Api, path: str) -> None:
    assert (api.get(path).status_code, set(api.get(path).json())) == (404, {"message"})


def test_writing_is_refused(api: Api, server: SandboxServer) -> None:
    answer = api.session.post(f"{server.url}/releases/7", json={"rating": 5}, timeout=5)

    assert answer.status_code == 405
    assert api.get("/releases/7").status_code == 200


def test_covers_need_no_credentials_or_limit(api: Api, server: SandboxServer) -> None:
    cover = api.get("/covers/7.svg?s=600", auth=None)
    small = api.get("/covers/7-150.svg", auth=None)
    page = api.get("/release/7-some-title", auth=None)

    assert cover.headers["Content-Type"] == "image/svg+xml"
    assert "X-Discogs-Ratelimit" not in cover.headers
    assert 'width="150"' in small.text
    assert page.headers["Content-Type"].startswith("text/html")
    assert server.stats()["accepted"] == 0
