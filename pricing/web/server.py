"""One web server process: an event loop that receives and sends, and threads in which the site answers."""

import contextlib
import logging
import resource
import socket
import time
from collections.abc import Callable
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer

from pricing.web.channel import Channel, Timeouts

MAX_CONNECTIONS = 500  # of one process
MAX_HEADER = 32 * 1024  # bytes, request line included
# The site refuses a body above 1 MB with a page of its own; a body larger than this is not read at all.
MAX_BODY = 2 * 1024 * 1024  # bytes
MEMORY_PER_BODY = 64 * 1024  # bytes; the rest of a request waits in a file that has no name
MEMORY_PER_ANSWER = 256 * 1024  # bytes; the same for what a client has not read yet
STOP_WITHIN = 10.0  # seconds for requests in progress

Application = Callable[..., Any]


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError if this machine has no such address or the port is taken."""
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    both = family == socket.AF_INET6 and address[0] == "::" and socket.has_dualstack_ipv6()
    return socket.create_server(address[:2], family=family, backlog=1024, dualstack_ipv6=both)


def allow_open_files() -> None:
    """Each connection may need three: itself, a long request and a long answer."""
    least = 4 * MAX_CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < least:
        wanted = least if hard == resource.RLIM_INFINITY else min(least, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class WebServer(TcpWSGIServer):
    """Serve until `stop` is called, then finish the requests in progress."""

    channel_class = Channel
    active_channels: dict[int, Channel]
    next_channel_cleanup: float

    def __init__(
        self,
        application: Application,
        listener: socket.socket,
        *,
        threads: int,
        timeouts: Timeouts,
        answer_buffer: int,
    ) -> None:
        """`answer_buffer`: bytes of one answer that may wait to be sent; only what is longer keeps its thread."""
        self._timeouts = timeouts
        self._stop_at: float | None = None
        adjustments = Adjustments(
            threads=threads,
            ident=None,
            # The site itself decides which of these headers to trust: TRUSTED_PROXIES and HTTPS.
            clear_untrusted_proxy_headers=False,
            max_request_header_size=MAX_HEADER,
            max_request_body_size=MAX_BODY,
            inbuf_overflow=MEMORY_PER_BODY,
            outbuf_overflow=MEMORY_PER_ANSWER,
            outbuf_high_watermark=answer_buffer,
            log_socket_errors=False,
        )
        sockinfo = (listener.family, listener.type, listener.proto, listener.getsockname())
        super().__init__(
            application, _sock=listener, adj=adjustments, sockinfo=sockinfo, bind_socket=False, map={}
        )
        # At WARNING it logs a line for each request that waits for a thread.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)

    def run(self) -> None:
        while not self._has_ended():
            wasyncore.loop(timeout=1, map=self._map, use_poll=True, count=1)

    def stop(self) -> None:
        """For a signal handler: take no new connection, finish the requests in progress, then return from `run`."""
        self._stop_at = time.monotonic() + STOP_WITHIN
        self.accepting = False
        self.pull_trigger()

    def _has_ended(self) -> bool:
        if self._stop_at is None:
            return False
        for channel in list(self.active_channels.values()):
            if channel.is_idle():
                channel.handle_close()
        return not self.active_channels or time.monotonic() > self._stop_at

    def readable(self) -> bool:
        """Whether to accept a connection. While more requests wait here than there are threads, another process may.

        A request that was read a moment ago waits too, until a thread has woken up for it.
        """
        now = time.monotonic()
        if now >= self.next_channel_cleanup:
            self.next_channel_cleanup = now + 1
            self.maintenance(now)
        return bool(self.accepting and len(self.task_dispatcher.queue) <= self.adj.threads)

    def maintenance(self, now: float) -> None:
        """End the connections that took too long. `now` is monotonic, so that setting a clock ends none.

        At once: `will_close` takes effect when a socket can be written to, which one that is not read never can.
        """
        for channel in list(self.active_channels.values()):
            if channel.is_overdue(now, self._timeouts):
                channel.handle_close()

    def handle_accept(self) -> None:
        super().handle_accept()
        if len(self.active_channels) > MAX_CONNECTIONS:
            self._make_room()

    def _make_room(self) -> None:
        """End the connection that has waited longest, rather than keep new ones out."""
        waiting = [each for each in self.active_channels.values() if not each.requests]
        if waiting:
            min(waiting, key=lambda each: (bool(each.total_outbufs_len), each.waiting_since)).handle_close()

    def fix_addr(self, addr: tuple[Any, ...]) -> tuple[Any, ...]:
        """Write the address of an IPv4 client on an IPv6 socket as IPv4, as a proxy or a log would."""
        return (addr[0].removeprefix("::ffff:"), *addr[1:])
