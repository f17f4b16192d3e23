"""The sandbox Discogs counts, and is scripted from other processes."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from collections_app.sandbox.server import SandboxServer
from tests.collections_app.sandbox.sandbox_client import Api

MANAGE = Path(__file__).resolve().parents[3] / "manage.py"


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(limit=100_000) as running:
        yield running


def test_stats_count_all_but_control_requests(api: Api, server: SandboxServer) -> None:
    for path in (
        "/releases/7",
        "/releases/7",
        "/releases/8",
        "/marketplace/stats/7",
        "/nothing",
        "/covers/7.svg",
    ):
        api.get(path)
    other = Api(server)
    other.get("/")
    stats = api.control("stats?times=1", method="GET")

    assert (stats["accepted"], stats["refused"], stats["connections"]) == (6, 0, 2)
    assert stats["routes"]["/releases/{id}"] == 3
    assert stats["routes"]["unknown"] == 1
    assert stats["per_release"] == {"max": 2, "releases": {"7": 2, "8": 1}}
    assert stats["statuses"] == {"200": 5, "404": 1}
    assert len(stats["times"]) == 6
    assert "times" not in server.stats()


def test_stats_sum_the_time_of_answers(api: Api, server: SandboxServer) -> None:
    api.get("/releases/7")
    one = server.stats()["seconds"]
    api.get("/releases/8")
    assert 0 < one < server.stats()["seconds"]


def test_users_change_from_another_process(api: Api) -> None:
    user = api.control(
        "users", {"username": "far_away", "token": "far", "release_ids": [4, 5], "curr_abbr": "SEK"}
    )
    first = user["copies"][0]["instance_id"]
    changed = api.control("users", {"username": "far_away", "add_releases": [9], "remove_instances": [first]})

    assert api.get("/oauth/identity", auth="Discogs token=far").json()["username"] == "far_away"
    assert [copy["release_id"] for copy in changed["copies"]] == [5, 9]
    assert {"crate_demo", "far_away"} <= {one["username"] for one in api.control("users", method="GET")}


def test_market_changes_from_another_process(api: Api) -> None:
    api.control("market", {"release_id": 7, "lowest_price": "4.25", "num_for_sale": 2})
    assert api.get("/releases/7").json()["lowest_price"] == 4.25
    api.control("market", {"release_id": 7, "gone": True})
    assert api.get("/releases/7").status_code == 404
    api.control("market", {"release_id": 7})
    assert api.get("/releases/7").json()["lowest_price"] != 4.25


def test_day_can_be_shifted_and_pinned(api: Api, server: SandboxServer) -> None:
    today = server.today()
    shifted = api.control("day", {"shift": 200})["day"]
    want = api.get("/releases/6").json()["community"]["want"]

    assert want == server.world.market(6, server.today()).want != server.world.market(6, today).want
    assert (server.today() - today).days == 200
    assert shifted == server.today().isoformat()
    assert api.control("day", {"day": "2027-03-01"})["day"] == "2027-03-01"
    assert api.control("day")["day"] == today.isoformat()


def test_reset_can_be_limited_to_parts(api: Api, server: SandboxServer) -> None:
    server.add_fault("/", "empty")
    server.add_user("kept", "kept", release_ids=[1])
    api.get("/releases/7")
    api.control("reset", {"only": ["stats", "faults"]})

    assert (server.stats()["accepted"], server.faults()) == (0, [])
    assert "kept" in server.world.users
    api.control("reset")
    assert "kept" not in server.world.users


def test_limit_changes_from_another_process(api: Api) -> None:
    assert api.control("limit", {"limit": 3, "latency": [0, 0.001]})["limit"] == 3
    assert api.get("/").headers["X-Discogs-Ratelimit"] == "3"
    api.control("reset", {"only": ["settings"]})
    assert api.get("/").headers["X-Discogs-Ratelimit"] == "100000"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("market", {"lowest_price": 3}),
        ("market", {"release_id": 7, "tea": 3}),
        ("faults", [{"path": "/", "kind": "earthquake"}]),
        ("users", {"username": "x", "unknown": 1}),
        ("day", {"day": "tomorrow"}),
        ("reset", {"only": ["everything"]}),
    ],
)
def test_malformed_control_requests_are_400(server: SandboxServer, path: str, body: Any) -> None:
    answer = requests.post(f"{server.url}/_sandbox/{path}", json=body, timeout=5)

    assert answer.status_code == 400


def test_only_loopback_is_served_by_default() -> None:
    for host in ("0.0.0.0", "192.0.2.1", "example.org"):
        with pytest.raises(ValueError, match="loopback"):
            SandboxServer(host=host)
    with SandboxServer(host="0.0.0.0", public=True) as server:
        assert server.url.startswith("http://0.0.0.0:")


def test_stop_ends_connections_and_frees_port() -> None:
    with SandboxServer() as server:
        api = Api(server)
        assert api.get("/").status_code == 200
        port = int(server.url.rsplit(":", 1)[1])
    with pytest.raises(requests.ConnectionError):
        api.get("/")
    with SandboxServer(port=port) as again:
        assert again.url.endswith(str(port))


@pytest.mark.processes
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_command_serves_until_stopped(number: signal.Signals) -> None:
    command = [sys.executable, str(MANAGE), "discogs_sandbox", "--port", "0", "--latency", "0-0.001"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[3].rstrip(",")
        answer = requests.get(f"{url}/releases/7", headers={"User-Agent": "Test/1.0"}, timeout=10)
        process.send_signal(number)

        assert answer.json()["id"] == 7
        assert process.wait(timeout=30) == 0
