"""Odd rows in the pages of the sandbox."""

from collections.abc import Iterator
from typing import Any

import pytest

from collections_app.sandbox.faults.odd import ODDITIES
from collections_app.sandbox.server import SandboxServer
from tests.collections_app.sandbox.sandbox_client import Api

COLLECTION = "/users/ann/collection/folders/0/releases"
ANN = "Discogs token=ann"


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer(limit=1000) as running:
        running.add_user("ann", "ann", release_ids=[4, 5], wants=[4, 5])
        yield running


def rows(api: Api, server: SandboxServer, how: str) -> list[Any]:
    server.add_fault("/users/ann/", "odd", releases={"5": how})
    found: list[Any] = api.get(COLLECTION, auth=ANN).json()["releases"]
    return found


@pytest.mark.parametrize("how", list(ODDITIES))
def test_only_the_chosen_row_is_odd(api: Api, server: SandboxServer, how: str) -> None:
    plain = api.get(COLLECTION, auth=ANN).json()["releases"]
    odd = rows(api, server, how)

    assert [left == right for left, right in zip(plain, odd, strict=True)] == [
        row["id"] != 5 for row in plain
    ]


def test_oddities_are_those_met_at_discogs(api: Api, server: SandboxServer) -> None:
    def odd(how: str) -> Any:
        server.clear_faults()
        return next(row for row in rows(api, server, how) if row is None or row["id"] == 5)

    assert odd("null_title")["basic_information"]["title"] is None
    assert isinstance(odd("text_year")["basic_information"]["year"], str)
    assert isinstance(odd("number_quantity")["basic_information"]["formats"][0]["qty"], int)
    assert odd("null_genre")["basic_information"]["genres"][-1] is None
    assert odd("date_before_1970")["date_added"].startswith("1969")
    assert odd("number_note")["notes"] == [{"field_id": 3, "value": 12.5}]
    assert "folder_id" not in odd("no_folder")
    assert odd("null_row") is None


def test_unknown_oddity_is_a_500_that_says_so(api: Api, server: SandboxServer) -> None:
    server.add_fault("/users/ann/", "odd", releases={"5": "purple"})
    answer = api.get(COLLECTION, auth=ANN)
    assert (answer.status_code, "purple" in answer.text) == (500, True)


def test_answers_without_pages_pass(api: Api, server: SandboxServer) -> None:
    server.add_fault("/", "odd", releases={"5": "null_title"})
    assert api.get("/releases/5").json()["title"]


def test_some_formats_have_a_text(api: Api) -> None:
    found = [api.get(f"/releases/{number}").json() for number in range(1, 40)]
    assert {"text" in one["formats"][0] for one in found if "formats" in one} == {True, False}
