"""The clock of the sandbox, which a test or another process can set."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from collections_app.sandbox.server import SandboxServer
from tests.collections_app.sandbox.sandbox_client import Api

NEW_YEAR = "2027-12-31T23:59:58+00:00"


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer(limit=1000) as running:
        yield running


def sent_at(api: Api) -> datetime:
    return parsedate_to_datetime(api.get("/").headers["Date"])


def age(api: Api) -> float:
    return abs((datetime.now(UTC) - sent_at(api)).total_seconds())


def test_date_header_is_now(api: Api) -> None:
    assert age(api) < 5


def test_set_clock_moves_header_and_day(api: Api, server: SandboxServer) -> None:
    assert api.control("clock", {"now": NEW_YEAR})["now"][:16] == NEW_YEAR[:16]
    assert abs((sent_at(api) - datetime.fromisoformat(NEW_YEAR)).total_seconds()) < 5
    assert server.today() in {date(2027, 12, 31), date(2028, 1, 1)}

    api.control("clock", {"now": "2027-06-01T12:00:00+00:00"})
    assert api.get("/releases/6").json()["community"]["want"] == server.world.market(6, date(2027, 6, 1)).want
    assert server.today() == date(2027, 6, 1)


def test_copies_are_added_at_the_set_time(api: Api, server: SandboxServer) -> None:
    server.add_user("ann", "ann", release_ids=[4])
    api.control("clock", {"now": "2027-06-01T12:00:00+00:00"})
    api.control("users", {"username": "ann", "add_releases": [9], "set_wants": [5]})
    user = server.world.users["ann"]

    assert user.copies[-1].date_added.date() == user.wants[0].date_added.date() == date(2027, 6, 1)


def test_clock_can_be_released(api: Api, server: SandboxServer) -> None:
    api.control("clock", {"now": NEW_YEAR})
    api.control("clock")
    assert age(api) < 5
    server.set_clock(now=NEW_YEAR)
    server.reset("world")
    assert (server.added_at(), age(api) < 5) == (None, True)


@pytest.mark.parametrize("body", [{"now": "soon"}, {"now": "2027-06-01T12:00:00"}, {"then": NEW_YEAR}])
def test_malformed_clock_is_400(server: SandboxServer, body: dict[str, Any]) -> None:
    assert requests.post(f"{server.url}/_sandbox/clock", json=body, timeout=5).status_code == 400
