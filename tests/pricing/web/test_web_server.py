"""One web server process, on a real socket: what it passes on, what it refuses, when it gives up."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pricing.web.channel import Timeouts
from pricing.web.server import MAX_BODY, MAX_HEADER, WebServer, listen
from tests.processes import eventually

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
MEGABYTE = 1024 * 1024


class Echo:
    """An application that says what it got, and keeps what it was told."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.closed = threading.Event()
        self.produced = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        self.requests.append(environ)
        if environ["PATH_INFO"] == "/stream":
            start_response("200 OK", [])
            return self
        body = environ["PATH_INFO"].encode() + b" " + environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(32):
            self.produced += 1
            yield b"x" * MEGABYTE

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def app() -> Echo:
    return Echo()


@pytest.fixture
def serve(app):
    """Start a server of the application; its port."""
    running: list[tuple[WebServer, threading.Thread]] = []

    def start(
        *, receive: float = 30, send: float = 30, threads: int = 1, buffer: int = 64, host: str = "127.0.0.1"
    ) -> int:
        listener = listen(host, 0)
        timeouts = Timeouts(receive=receive, send=send)
        server = WebServer(app, listener, threads=threads, timeouts=timeouts, answer_buffer=buffer * MEGABYTE)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        running.append((server, thread))
        return listener.getsockname()[1]

    yield start
    for server, thread in running:
        server.stop()
        thread.join(20)
        assert not thread.is_alive()


def connect(port: int, data: bytes = b"", *, host: str = "127.0.0.1", window: int = 0) -> socket.socket:
    client = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    if window:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    client.settimeout(10)
    client.connect((host, port))
    client.sendall(data)
    return client


def read_all(client: socket.socket) -> bytes:
    """All until the server closes the connection."""
    answer = b""
    while piece := client.recv(1 << 20):
        answer += piece
    return answer


def read_answer(client: socket.socket) -> bytes:
    """One answer that says how long it is."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += client.recv(1)
    length = next(line for line in answer.split(b"\r\n") if line.startswith(b"Content-Length: "))
    return answer + client.recv(int(length.split()[1]), socket.MSG_WAITALL)


def ask(port: int, data: bytes) -> bytes:
    """One answer on a connection of its own."""
    client = connect(port, data)
    client.shutdown(socket.SHUT_WR)
    return read_all(client)


# What the site gets ----------------------------------------------------------------------------------


def test_server_forwards_proxy_headers(serve, app):
    ask(serve(), GET + b"X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n\r\n")
    environ = app.requests[0]
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert environ["HTTP_X_FORWARDED_FOR"] == "203.0.113.9"
    assert environ["HTTP_X_FORWARDED_PROTO"] == "https"
    assert environ["wsgi.url_scheme"] == "http"


def test_server_drops_headers_that_imitate_others(serve, app):
    ask(serve(), GET + b"X_Forwarded_For: 203.0.113.9\r\n\r\n")
    assert "HTTP_X_FORWARDED_FOR" not in app.requests[0]


def test_ipv4_visitor_has_an_ipv4_address(serve, app):
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    port = serve(host="::")
    ask(port, GET + b"\r\n")
    client = connect(port, GET + b"Connection: close\r\n\r\n", host="::1")
    read_all(client)
    assert [environ["REMOTE_ADDR"] for environ in app.requests] == ["127.0.0.1", "::1"]


def test_server_keeps_a_connection_open(serve):
    client = connect(serve())
    for number in (b"1", b"2", b"3"):
        client.sendall(b"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n" + number)
        assert read_answer(client).endswith(b"\r\n\r\n/a " + number)


def test_server_keeps_a_connection_that_is_used(serve):
    client = connect(serve(receive=2))
    for _ in range(4):
        time.sleep(1)
        client.sendall(GET + b"\r\n")
        assert read_answer(client).startswith(b"HTTP/1.1 200 ")


def test_newline_after_a_form_changes_nothing(serve):
    client = connect(serve(), POST + b"Content-Length: 1\r\n\r\na\r\n")
    assert b"close" not in read_answer(client)
    client.sendall(GET + b"\r\n")
    assert read_answer(client).startswith(b"HTTP/1.1 200 ")


def test_server_sends_100_continue(serve):
    client = connect(serve(), POST + b"Content-Length: 4\r\nExpect: 100-continue\r\n\r\n")
    assert client.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.sendall(b"form")
    assert read_answer(client).endswith(b"/ form")


def test_body_in_chunks_is_put_together(serve):
    answer = ask(serve(), POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nfo\r\n2\r\nrm\r\n0\r\n\r\n")
    assert answer.endswith(b"/ form")


def test_requests_sent_early_are_not_answered(serve, app):
    """The first answer says that the connection ends, so that the client sends the others again."""
    answer = ask(serve(), (GET + b"\r\n") * 100)
    assert answer.count(b"HTTP/1.1 200 OK") == 1
    assert b"\r\nConnection: close\r\n" in answer
    assert len(app.requests) == 1


# What never reaches it -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (GET + b"no colon\r\n\r\n", 400),
        (GET + b"Name : value\r\n\r\n", 400),
        (GET + b" folded: value\r\n\r\n", 400),
        (POST + b"Content-Length: -1\r\n\r\n", 400),
        (POST + b"Content-Length: +4\r\n\r\nform", 400),
        (POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nform", 400),
        (POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (POST + b"Transfer-Encoding: gzip\r\n\r\n", 501),
        (POST + b"Transfer-Encoding: chunked\x0b\r\n\r\n", 400),
        (POST + b"Content-Length: %d\r\n\r\n" % (MAX_BODY + 1), 413),
        (GET + b"Cookie: " + b"a" * MAX_HEADER + b"\r\n\r\n", 431),
        (b"GET /" + b"a" * MAX_HEADER + b" HTTP/1.1\r\n\r\n", 431),
    ],
)
def test_server_refuses_what_it_cannot_read(serve, app, data, status):
    answer = ask(serve(), data)
    assert re.match(rb"HTTP/1\.[01] %d " % status, answer)
    assert not app.requests


@pytest.mark.parametrize("data", [GET + b"\r\n", b"nonsense\r\n\r\n"])
def test_no_answer_names_the_server(serve, data):
    answer = ask(serve(), data).lower()
    assert b"\r\nserver:" not in answer
    assert b"via:" not in answer
    assert b"waitress" not in answer


def test_refusals_have_the_headers_of_a_safe_text(serve):
    head = ask(serve(), b"nonsense\r\n\r\n")
    for line in (
        b"Content-Type: text/plain; charset=utf-8",
        b"X-Content-Type-Options: nosniff",
        b"Content-Security-Policy: default-src 'none'",
        b"Connection: close",
    ):
        assert line in head


def test_client_still_sending_gets_the_refusal(serve):
    """A socket closed with unread bytes in it would be reset, and the answer lost on the way."""
    client = connect(serve(), POST + b"Content-Length: 60000000\r\n\r\n")
    for _ in range(20):
        client.sendall(b"x" * MEGABYTE)
    assert read_answer(client).startswith(b"HTTP/1.1 413 ")


# When it gives up ------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [b"", GET, b"\r\n", GET + b"\r\n"])
def test_connection_without_a_request_is_ended(serve, first):
    client = connect(serve(receive=1), first)
    began = time.monotonic()
    read_all(client)
    assert 0.9 < time.monotonic() - began < 9


@pytest.mark.parametrize("drop", [b"a", b"\r\n"])
def test_header_in_single_bytes_is_ended(serve, drop):
    client = connect(serve(receive=1), GET if drop == b"a" else b"")
    with pytest.raises(OSError, match=r"."):  # noqa: PT012 the connection ends at some byte
        for _ in range(100):
            client.send(drop)
            time.sleep(0.1)


def test_body_in_single_bytes_is_ended(serve):
    client = connect(serve(receive=1), POST + b"Content-Length: 9000\r\n\r\n")
    with pytest.raises(OSError, match=r"."):  # noqa: PT012
        for _ in range(150):
            client.send(b"a")
            time.sleep(0.1)


def test_waiting_answer_holds_no_thread(serve, app):
    port = serve()
    slow = connect(port, b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n", window=2048)
    assert app.closed.wait(10)
    assert app.produced == 32
    assert ask(port, GET + b"\r\n").endswith(b"/ ")
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MEGABYTE)
    assert len(read_all(slow)) > 32 * MEGABYTE  # nothing of it was lost


def test_unread_long_answer_frees_its_thread(serve, app):
    port = serve(send=1, buffer=1)
    slow = connect(port, b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n", window=2048)
    eventually(lambda: app.produced, within=10, what="the answer to begin")
    time.sleep(0.5)
    assert not app.closed.is_set()
    assert app.closed.wait(10)
    assert app.produced < 32
    assert ask(port, GET + b"\r\n").endswith(b"/ ")
    slow.close()


def test_slowly_read_long_answer_is_sent(serve, app):
    """The time-out is about standing still: a download may take as long as it takes."""
    port = serve(send=1, buffer=1)
    slow = connect(port, b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
    taken = 0
    for _ in range(8):
        taken += len(slow.recv(2 * MEGABYTE, socket.MSG_WAITALL))
        time.sleep(0.6)
    assert taken + len(read_all(slow)) > 32 * MEGABYTE
