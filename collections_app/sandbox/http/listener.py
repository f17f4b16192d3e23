"""The listening socket of the sandbox and its connections, which are kept alive."""

import socket
import socketserver
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock
from typing import Any

from collections_app.sandbox.http import wire
from collections_app.sandbox.http.answer import Answer, Request, request_from


class Listener(ThreadingHTTPServer):
    """One thread per connection; all of them end with the server.

    `answer` is called for each request, `on_connection` for each new connection, from the connection's thread. Waits
    while an answer is sent end early when `stopping` is set.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(
        self,
        address: tuple[str, int],
        *,
        answer: Callable[[Request], Answer],
        on_connection: Callable[[], None],
        stopping: Event,
    ) -> None:
        self.answer, self.stopping = answer, stopping
        self._on_connection = on_connection
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, Handler)

    def server_bind(self) -> None:
        # HTTPServer looks its own name up in the DNS here, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def opened(self, connection: socket.socket) -> None:
        """Register a new connection."""
        self._on_connection()
        with self._lock:
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        """Remove a connection that is about to end."""
        with self._lock:
            self._open.discard(connection)

    def end_connections(self) -> None:
        """Shut every open connection down, so that its thread ends."""
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class Handler(BaseHTTPRequestHandler):
    """One TCP connection: read a request, let the listener answer it, send the answer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener
    connection: socket.socket

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        super().finish()

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        body = self.rfile.read(int(length)) if length.isdigit() and length != "0" else b""
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = request_from(self.command, self.path, headers, client=self.client_address[0], body=body)
        wire.send(self, self.server.answer(request), stopping=self.server.stopping)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the counters are enough."""
