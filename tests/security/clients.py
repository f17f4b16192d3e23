"""Clients that hold a connection instead of using it, and an ordinary one."""

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator

PAGE = "/account/login/"
LARGE = "/static/admin/js/vendor/xregexp/xregexp.js"  # 230 kB
HEAD = b"Host: localhost\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"


def connect(port: int, first: bytes = b"", *, window: int | None = None) -> socket.socket:
    """Open a connection and send `first`; with a small receive window, the client receives only what it reads."""
    client = socket.socket()
    if window:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    client.settimeout(5)
    client.connect(("127.0.0.1", port))
    with contextlib.suppress(OSError):  # refused already
        client.sendall(first)
    return client


def request(path: str = PAGE, *, method: bytes = b"GET", fields: bytes = b"", body: bytes = b"") -> bytes:
    return method + b" " + path.encode() + b" HTTP/1.1\r\n" + HEAD + fields + b"\r\n" + body


HALF_HEADER = request()[:-6]
HALF_BODY = request(method=b"POST", fields=FORM + b"Content-Length: 9000\r\n", body=b"login=a")


def silent(port: int) -> socket.socket:
    return connect(port)


def half_header(port: int) -> socket.socket:
    return connect(port, HALF_HEADER)


def half_body(port: int) -> socket.socket:
    return connect(port, HALF_BODY)


def unread(port: int) -> socket.socket:
    """Request a large file a hundred times, and read nothing."""
    return connect(port, request(LARGE) * 100, window=2048)


def idle(port: int) -> socket.socket:
    """Read an answer and keep the connection open."""
    client = connect(port, request("/healthz"))
    with contextlib.suppress(OSError):
        client.recv(4096)
    return client


def drip(
    clients: list[socket.socket], stop: threading.Event, step: Callable[[socket.socket], object]
) -> None:
    while not stop.wait(0.5):
        for client in clients:
            with contextlib.suppress(OSError):
                step(client)


def send_a_byte(client: socket.socket) -> None:
    client.send(b"a")


def take_a_byte(client: socket.socket) -> None:
    client.recv(1, socket.MSG_DONTWAIT)


# name: how each connection begins, what it does twice a second, and how many there are
ATTACKS: dict[str, tuple[Callable[[int], socket.socket], Callable[[socket.socket], object] | None, int]] = {
    "silent": (silent, None, 200),
    "half a header": (half_header, None, 24),
    "half a body": (half_body, None, 24),
    "a header in single bytes": (half_header, send_a_byte, 24),
    "a body in single bytes": (half_body, send_a_byte, 24),
    "unread answers": (unread, None, 16),
    "answers taken in single bytes": (unread, take_a_byte, 16),
    "idle after an answer": (idle, None, 200),
}


@contextlib.contextmanager
def held(port: int, name: str, *, times: int = 1) -> Iterator[list[socket.socket]]:
    """Run an attack while the block runs, with `times` as many connections as usual."""
    begin, step, count = ATTACKS[name]
    clients = [begin(port) for _ in range(count * times)]
    stop = threading.Event()
    dripping = threading.Thread(target=drip, args=(clients, stop, step or (lambda _: None)), daemon=True)
    dripping.start()
    try:
        yield clients
    finally:
        stop.set()
        dripping.join()
        for client in clients:
            client.close()


def seconds_until_answered(port: int, path: str = PAGE, *, limit: float) -> float:
    """How long an ordinary visitor waits for a page; fails if there is no answer within the limit."""
    began = time.monotonic()
    while (left := began + limit - time.monotonic()) > 0:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=left)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            return time.monotonic() - began
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    raise AssertionError(f"no answer within {limit} s")


def is_closed(client: socket.socket) -> bool:
    """Read everything the server sent; return whether it has closed the connection."""
    client.settimeout(0.2)
    try:
        while client.recv(1 << 20):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
