"""Call the WSGI application as a web server does, with requests that Django's test client cannot make."""

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from wsgiref.util import setup_testing_defaults

from django.core.signals import request_finished, request_started
from django.db import close_old_connections


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Pattern(io.RawIOBase):
    """A request body of any size that needs no memory. `read_bytes` counts how much of it was read."""

    def __init__(self, size: int, *, head: bytes = b"", tail: bytes = b"") -> None:
        self.size, self.read_bytes = size, 0
        self._head, self._tail = head, tail

    def read(self, size: int = -1) -> bytes:
        left = self.size - self.read_bytes
        size = left if size < 0 else min(size, left)
        start, end = self.read_bytes, self.read_bytes + size
        self.read_bytes = end
        self.at(end)
        tail_from = self.size - len(self._tail)
        if start >= len(self._head) and end <= tail_from:
            return b"x" * size
        whole = self._head[start:end]
        whole += b"x" * (min(end, tail_from) - max(start, len(self._head)))
        return whole + self._tail[max(0, start - tail_from) : max(0, end - tail_from)]

    def at(self, position: int) -> None:
        """Called at each read; tests override it to check something while the body is read."""


def call(path: str = "/", *, method: str = "GET", body: Any = b"", **environ: Any) -> Answer:
    """Call the application of config.wsgi. `environ` has CGI's names; a value of None omits the variable."""
    from config.wsgi import application

    path, _, query = path.partition("?")
    asked: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "192.0.2.1",
    }
    if isinstance(body, bytes):
        asked |= {"CONTENT_LENGTH": str(len(body))}
        body = io.BytesIO(body)
    asked |= {"wsgi.input": body, **environ}
    asked = {name: value for name, value in asked.items() if value is not None}
    setup_testing_defaults(asked)
    started: list[Any] = []
    with _connections_kept():
        pieces: Iterable[bytes] = application(
            asked, lambda status, headers: started.extend([status, headers])
        )
        try:
            content = b"".join(pieces)
        finally:
            if hasattr(pieces, "close"):
                pieces.close()
    return Answer(int(started[0].split()[0]), dict(started[1]), content)


@contextmanager
def _connections_kept() -> Iterator[None]:
    """Keep database connections open: a test runs in a transaction, which closing its connection would end."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)
