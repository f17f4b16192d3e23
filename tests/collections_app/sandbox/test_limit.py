"""The sandbox Discogs keeps one strict window per address."""

import threading

from collections_app.sandbox.server import SandboxServer
from tests.collections_app.sandbox.sandbox_client import DEMO, SMALL, Api


def test_headers_lag_by_one() -> None:
    with SandboxServer(limit=60, window=60) as server:
        api = Api(server)
        seen = [api.get("/releases/7").headers for _ in range(3)]

    assert [h["X-Discogs-Ratelimit-Used"] for h in seen] == ["0", "1", "2"]
    assert [h["X-Discogs-Ratelimit-Remaining"] for h in seen] == ["60", "59", "58"]


def test_refusals_alternate_and_never_name_a_wait() -> None:
    with SandboxServer(limit=2, window=60) as server:
        api = Api(server)
        answers = [api.get("/releases/7") for _ in range(6)]

    assert [answer.status_code for answer in answers] == [200, 200, 429, 429, 429, 429]
    assert {answer.text for answer in answers[2:]} == {
        "",
        '{"message": "You are making requests too quickly."}',
    }
    assert answers[2].text == answers[4].text != answers[3].text
    assert not any("Retry-After" in answer.headers for answer in answers)


def test_window_is_shared_by_address() -> None:
    with SandboxServer(limit=60, window=60) as server:
        api = Api(server)
        mixed = [api.get("/releases/7", auth=(DEMO, SMALL)[n % 2]).status_code for n in range(25)]
        anonymous = api.get("/releases/7", auth=None)
        rest = [api.get("/releases/7").status_code for _ in range(36)]

    assert mixed == [200] * 25
    assert (anonymous.status_code, anonymous.headers["X-Discogs-Ratelimit"]) == (429, "25")
    assert rest == [200] * 35 + [429]


def test_refused_requests_count_only_if_asked() -> None:
    for counted, expected in ((False, 200), (True, 429)):
        with SandboxServer(limit=1, window=60, count_refused=counted) as server:
            api = Api(server)
            api.get("/releases/7")
            refused = api.get("/releases/7")
            server.set_limit(limit=2)
            assert (refused.status_code, api.get("/releases/7").status_code) == (429, expected)


def test_window_holds_under_parallel_requests() -> None:
    with SandboxServer(limit=20, window=0.5, latency=(0.0, 0.01)) as server:
        statuses: list[int] = []

        def hammer() -> None:
            api = Api(server)
            statuses.extend(api.get("/releases/7").status_code for _ in range(60))

        threads = [threading.Thread(target=hammer) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stats = server.stats(times=True)

    times = stats["times"]
    assert stats["accepted"] == statuses.count(200) == len(times)
    assert stats["refused"] == statuses.count(429)
    assert len(statuses) == 480
    assert stats["most_in_window"] == 20
    assert all(later - earlier >= 0.5 for earlier, later in zip(times, times[20:], strict=False))
