"""The listening socket of the stand-in, and the connections that must end with it."""

import socket
import socketserver
from http.server import ThreadingHTTPServer
from threading import Lock
from typing import TYPE_CHECKING

from collections_app.sandbox.handler import Handler

if TYPE_CHECKING:
    from collections_app.sandbox.server import SandboxServer


class Listener(ThreadingHTTPServer):
    """One thread per connection; all of them end with the server."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], sandbox: "SandboxServer") -> None:
        self.sandbox = sandbox
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
        """A connection begins."""
        self.sandbox.ledger.connection()
        with self._lock:
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        """A connection is about to end."""
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
