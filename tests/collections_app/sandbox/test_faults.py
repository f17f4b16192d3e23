"""Scripted faults of the sandbox Discogs: what the client meets."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from collections_app.sandbox.server import SandboxServer

HEADERS = {"User-Agent": "SandboxTest/1.0", "Authorization": "Discogs token=sandbox-demo-token"}


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer(limit=100_000) as server:
        yield server


@pytest.fixture
def server(running: SandboxServer) -> Iterator[SandboxServer]:
    yield running
    running.reset()


def get(server: SandboxServer, path: str = "/releases/7", **options: Any) -> requests.Response:
    return requests.get(
        server.url + path, headers=HEADERS, allow_redirects=False, **{"timeout": 10, **options}
    )


@pytest.mark.parametrize("retry_after", ["7", "-1", "1000000000", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_429_carries_any_retry_after(server: SandboxServer, retry_after: str) -> None:
    server.add_fault("/releases/", "status", status=429, headers={"Retry-After": retry_after}, times=1)
    answer = get(server)

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, retry_after)
    assert "X-Discogs-Ratelimit" in answer.headers
    assert get(server).status_code == 200


@pytest.mark.parametrize("status", [500, 502, 503, 520, 524])
def test_server_errors_have_no_rate_headers(server: SandboxServer, status: int) -> None:
    server.add_fault("/", "status", status=status, body="upstream")
    answer = get(server)

    assert (answer.status_code, answer.text) == (status, "upstream")
    assert "X-Discogs-Ratelimit" not in answer.headers


def test_json_is_cut_off(server: SandboxServer) -> None:
    server.add_fault("/releases/", "cut")
    answer = get(server)

    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize(
    ("kind", "options", "shape", "text"),
    [
        ("html", {}, (200, "text/html; charset=UTF-8"), "<!DOCTYPE html>"),
        ("forbidden_html", {}, (403, "text/html; charset=UTF-8"), "<!DOCTYPE html>"),
        ("empty", {}, (200, "application/json"), ""),
        ("body", {"body": "{" * 5}, (200, "application/json"), "{{{{{"),
        ("body", {"body": "x", "status": 203, "content_type": "text/plain"}, (203, "text/plain"), "x"),
    ],
)
def test_fault_answers_of_another_kind(
    server: SandboxServer, kind: str, options: dict[str, Any], shape: tuple[int, str], text: str
) -> None:
    server.add_fault("/releases/", kind, **options)
    answer = get(server)

    assert (answer.status_code, answer.headers["Content-Type"]) == shape
    assert answer.text.startswith(text)
    assert bool(answer.text) == bool(text)


def test_mutations_change_the_real_answer(server: SandboxServer) -> None:
    server.add_fault(
        "/releases/",
        "mutate",
        set={"/num_for_sale": -5, "/artists/0/name": 7, "/a~1b": 1},
        set_raw={"/lowest_price": "1e400", "/community/want": "9" * 5000},
        remove=["/community/have", "/title", "/never_there"],
    )
    text = get(server).text

    assert '"lowest_price": 1e400' in text
    assert f'"want": {"9" * 5000}' in text
    assert '"num_for_sale": -5' in text
    assert '"a/b": 1' in text
    assert '"have"' not in text


def test_page_can_repeat(server: SandboxServer) -> None:
    path = "/users/crate_demo/collection/folders/0/releases"
    server.add_fault(f"^{path}.*page=2", "mutate", set={"/releases": [], "/pagination/pages": 1})

    assert get(server, f"{path}?page=2&per_page=100").json()["releases"] == []


def test_mutation_that_does_not_fit_says_so(server: SandboxServer) -> None:
    server.add_fault("/releases/", "mutate", set={"/no/such/place": 1})
    answer = get(server)

    assert (answer.status_code, answer.text.startswith("sandbox: mutate does not fit")) == (500, True)


def test_redirect_names_another_host(server: SandboxServer) -> None:
    server.add_fault("/releases/", "redirect", location="http://192.0.2.1/stolen")
    answer = get(server)

    assert (answer.status_code, answer.headers["Location"]) == (302, "http://192.0.2.1/stolen")


def test_reset_breaks_the_body(server: SandboxServer) -> None:
    server.add_fault("/releases/", "reset", times=1)

    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        get(server)
    assert get(server).status_code == 200


def test_hang_outlasts_the_client(server: SandboxServer) -> None:
    server.add_fault("/releases/", "hang", seconds=30, times=1)

    with pytest.raises(requests.ReadTimeout):
        get(server, timeout=0.2)


def test_short_hang_ends_without_an_answer(server: SandboxServer) -> None:
    server.add_fault("/releases/", "hang", seconds=0.01, times=1)

    with pytest.raises(requests.ConnectionError):
        get(server)


def test_slow_answer_fails_impatient_clients_only(server: SandboxServer) -> None:
    server.add_fault("/releases/", "slow", seconds=0.4, times=2)

    with pytest.raises(requests.ReadTimeout):
        get(server, timeout=0.1)
    assert get(server).status_code == 200


def test_drip_is_complete_in_the_end(server: SandboxServer) -> None:
    whole = get(server).content
    server.add_fault("/releases/", "drip", chunk=500, interval=0.001)

    assert get(server).content == whole


def test_big_answer_and_bomb_have_their_size(server: SandboxServer) -> None:
    server.add_fault("/releases/7", "big", megabytes=2)
    server.add_fault("/releases/8", "gzip_bomb", megabytes=3)
    bomb = get(server, "/releases/8")

    assert len(get(server).content) > 2_000_000
    assert len(bomb.json()["padding"]) == 3_000_000
    assert int(bomb.headers["Content-Length"]) < 50_000


def test_latency_replaces_the_base_latency(server: SandboxServer) -> None:
    server.add_fault("/releases/7", "latency", seconds=[0.3, 0.4])

    with pytest.raises(requests.ReadTimeout):
        get(server, timeout=0.1)
    assert get(server, "/releases/8", timeout=5).status_code == 200


def test_faulty_requests_count_in_limit_and_stats(server: SandboxServer) -> None:
    server.add_fault("/", "status", status=503, times=2)
    codes = [get(server).status_code for _ in range(3)]
    stats = server.stats()

    assert codes == [503, 503, 200]
    assert (stats["accepted"], stats["faults"]) == (3, {"status": 2})


def test_faults_are_set_from_another_process(server: SandboxServer) -> None:
    address = f"{server.url}/_sandbox/faults"
    rules = [{"path": "/releases/7", "kind": "empty"}, {"path": "/releases/8", "kind": "html"}]
    requests.post(address, json=rules, timeout=5)
    assert get(server).text == ""
    listed = requests.get(address, timeout=5).json()
    assert [(rule["kind"], rule["struck"]) for rule in listed] == [("empty", 1), ("html", 0)]
    assert requests.delete(address, timeout=5).json() == []
    assert get(server).text != ""


def test_stopping_ends_a_hang() -> None:
    outcome: list[str] = []
    with SandboxServer() as server:
        server.add_fault("/", "hang", seconds=3600)

        def wait() -> None:
            try:
                get(server, timeout=60)
            except requests.RequestException as error:
                outcome.append(type(error).__name__)

        waiting = threading.Thread(target=wait)
        waiting.start()
        while not server.stats()["faults"]:
            waiting.join(0.01)
    waiting.join(10)

    assert outcome == ["ConnectionError"]
