"""Pages of the sandbox Discogs that lie: rows missing, a page twice, numbers that are not true."""

from collections.abc import Iterator
from typing import Any

import pytest

from collections_app.sandbox.server import SandboxServer
from tests.collections_app.sandbox.sandbox_client import Api

COLLECTION = "/users/crate_demo/collection/folders/0/releases"
WANTS = "/users/crate_demo/wants"
LISTS = [(COLLECTION, "releases"), (WANTS, "wants")]


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer(limit=100_000) as server:
        yield server


@pytest.fixture
def server(running: SandboxServer) -> Iterator[SandboxServer]:
    yield running
    running.reset("faults")


def page(api: Api, path: str, number: int = 1, per_page: int = 20) -> Any:
    return api.get(f"{path}?page={number}&per_page={per_page}&sort_order=asc").json()


@pytest.mark.parametrize(("path", "rows"), LISTS)
@pytest.mark.parametrize("honest", [False, True])
def test_page_loses_rows_from_its_end(
    api: Api, server: SandboxServer, path: str, rows: str, honest: bool
) -> None:
    whole = page(api, path, 2)
    server.add_fault(f"^{path}[?]page=2&", "shrink", rows=3, honest=honest)
    short = page(api, path, 2)

    assert short[rows] == whole[rows][:-3]
    assert whole["pagination"]["items"] - short["pagination"]["items"] == (3 if honest else 0)
    assert len(page(api, path, 1)[rows]) == 20


def test_page_loses_no_more_than_it_has(api: Api, server: SandboxServer) -> None:
    server.add_fault(WANTS, "shrink", rows=500, honest=True)
    empty = page(api, WANTS)

    assert (empty["wants"], empty["pagination"]["items"]) == ([], 40)


@pytest.mark.parametrize(("path", "rows"), LISTS)
def test_page_is_replaced_by_the_one_before(api: Api, server: SandboxServer, path: str, rows: str) -> None:
    pages = {number: page(api, path, number)[rows] for number in (1, 2)}
    server.add_fault(path, "repeat")

    assert page(api, path, 2)[rows] == pages[1] != pages[2]
    assert page(api, path, 1)[rows] == pages[1]
    assert page(api, path, 3)[rows] == pages[2]


def test_page_past_the_end_repeats_the_last(api: Api, server: SandboxServer) -> None:
    server.add_fault(f"^{WANTS}[?]page=4&", "repeat", times=1)

    assert page(api, WANTS, 4)["wants"] == page(api, WANTS, 3)["wants"]
    assert api.get(f"{WANTS}?page=4&per_page=20").status_code == 404


@pytest.mark.parametrize("numbers", [{"items": 7}, {"pages": 1}, {"items": -1, "pages": 900}])
def test_numbers_of_a_page_are_replaced(api: Api, server: SandboxServer, numbers: dict[str, int]) -> None:
    whole = page(api, COLLECTION)
    server.add_fault(COLLECTION, "items", **numbers)
    lying = page(api, COLLECTION)

    assert lying["pagination"] == whole["pagination"] | numbers
    assert lying["releases"] == whole["releases"]


@pytest.mark.parametrize("kind", ["shrink", "repeat", "items"])
@pytest.mark.parametrize(
    ("path", "status"), [("/releases/7", 200), ("/users/private_crate/wants", 403), ("/covers/7.svg", 200)]
)
def test_answers_without_pages_are_unchanged(
    api: Api, server: SandboxServer, kind: str, path: str, status: int
) -> None:
    whole = api.get(path).content
    server.add_fault("/", kind)
    answer = api.get(path)

    assert (answer.status_code, answer.content) == (status, whole)
