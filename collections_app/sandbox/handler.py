"""One TCP connection of the stand-in: requests in, answers out, kept alive."""

import socket
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from collections_app.sandbox import wire
from collections_app.sandbox.answer import request_from

if TYPE_CHECKING:
    from collections_app.sandbox.listener import Listener


class Handler(BaseHTTPRequestHandler):
    """Reads a request, asks the sandbox, sends the answer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Listener"
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
        answer = self.server.sandbox.answer(request)
        wire.send(self, answer, stopping=self.server.sandbox.stopping)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the counters say more than a log."""
