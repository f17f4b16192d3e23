"""Clients that hold connections do not block other clients, with the server as `manage.py up` starts it."""

import os
import signal
import time

import psutil
import pytest

from tests.processes import descendants, eventually
from tests.security.clients import (
    ATTACKS,
    PAGE,
    connect,
    free_port,
    held,
    is_closed,
    request,
    seconds_until_answered,
)

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

WITHIN = 25  # seconds: what the site promises
SHORT = {"WEB_RECEIVE_TIMEOUT": "1", "WEB_SEND_TIMEOUT": "1"}


@pytest.fixture
def start_web(site, tmp_path):
    """A web server on a port of its own; (port, its first process)."""

    def start(**extra: str):
        port = free_port()
        process = site.start("run_web", "--port", str(port), log=tmp_path / "log", **extra)
        seconds_until_answered(port, limit=60)
        return port, process

    return start


def test_server_answers_beside_held_connections(start_web):
    port, _ = start_web()
    for name in ATTACKS:
        with held(port, name):
            assert seconds_until_answered(port, limit=WITHIN) < WITHIN, name


@pytest.mark.long
@pytest.mark.fault
@pytest.mark.parametrize("name", ATTACKS)
def test_server_answers_as_long_as_they_are_held(start_web, name):
    port, _ = start_web()
    with held(port, name, times=5):
        until = time.monotonic() + 45  # longer than every time-out
        while time.monotonic() < until:
            seconds_until_answered(port, limit=WITHIN)
            time.sleep(1)


def test_server_ends_held_connections(start_web):
    port, _ = start_web(**SHORT)
    for name in set(ATTACKS) - {"answers taken in single bytes", "unread answers"}:
        with held(port, name) as clients:
            eventually(lambda: all(map(is_closed, clients[:4])), within=20, what=f"the end of: {name}")


def test_server_accepts_more_than_it_keeps(start_web):
    port, _ = start_web(WEB_PROCESSES="1", WEB_RECEIVE_TIMEOUT="600")
    with held(port, "silent", times=3) as clients:  # it keeps 500
        assert seconds_until_answered(port, limit=WITHIN) < WITHIN
        assert is_closed(clients[0])
        assert not is_closed(clients[-1])


# Processes -------------------------------------------------------------------------------------------


def test_killed_web_process_is_replaced(start_web):
    port, process = start_web(WEB_PROCESSES="2")
    before = psutil.Process(process.pid).children()
    for child in before:
        child.kill()
    eventually(
        lambda: len(set(psutil.Process(process.pid).children()) - set(before)) == len(before) == 2,
        within=30,
        what="two new processes",
    )
    seconds_until_answered(port, limit=WITHIN)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_server_finishes_requests_before_stopping(start_web, number):
    port, process = start_web()
    begun = connect(port, request()[:-2])
    idle = connect(port, request())
    assert idle.recv(1 << 16)
    family = descendants(process.pid)
    time.sleep(0.5)  # until the first half of the header has been read
    process.send_signal(number)
    assert is_closed(idle)
    begun.sendall(b"\r\n")
    assert begun.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
    assert process.wait(20) == 0
    assert not [each for each in family if each.is_running()]


def test_server_stops_with_held_connections(start_web):
    port, process = start_web()
    with held(port, "a body in single bytes"), held(port, "unread answers"):
        process.terminate()
        assert process.wait(25) == 0


def test_web_processes_end_with_their_parent(start_web):
    _, process = start_web()
    family = descendants(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    eventually(
        lambda: not [each for each in family[1:] if each.is_running()], within=30, what="the end of all"
    )


def test_server_says_which_port_is_taken(start_web, site):
    port, _ = start_web()
    second = site.run("run_web", "--port", str(port))
    assert second.returncode == 1
    assert f"Cannot listen on 127.0.0.1, port {port}" in second.stderr
    assert "Traceback" not in second.stderr


@pytest.mark.parametrize("host", ["::", "0.0.0.0", "localhost"])
def test_server_listens_on_the_given_address(site, host):
    port = free_port()
    site.start("run_web", "--port", str(port), "--host", host)
    assert seconds_until_answered(port, PAGE, limit=60)
