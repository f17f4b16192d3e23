"""One connection of the web server, and its time limits."""

import contextlib
import socket
import time
from dataclasses import dataclass
from typing import Any

from waitress.channel import HTTPChannel

from pricing.web.messages import Parser, RefusalTask, SiteTask

BODY_FACTOR = 3  # a request with a body may take this many times as long as one without
MIN_SENDING_RATE = 1024  # bytes a second, averaged over the send timeout
LINGER = 3.0  # seconds


@dataclass(frozen=True)
class Timeouts:
    """Seconds a client may take."""

    receive: float  # for the header of a request, and between two requests
    send: float  # within which the client has to read some of the response


class Channel(HTTPChannel):
    """A connection of waitress that a client cannot hold for ever.

    Waitress counts any byte as activity, so a client that sends or takes one byte at a time stays; and it never ends
    a connection while an answer is being produced, so one that stops reading a long answer keeps a thread.
    """

    parser_class = Parser
    task_class = SiteTask
    error_task_class = RefusalTask
    request: Any

    def __init__(self, *args: Any, **options: Any) -> None:
        self.waiting_since = time.monotonic()
        self._sent = 0
        self._sending_mark: tuple[float, int] | None = None
        self._lingering_since: float | None = None
        super().__init__(*args, **options)

    # Receiving

    def readable(self) -> bool:
        return self._lingering_since is not None or super().readable()

    def handle_read(self) -> None:
        if self._lingering_since is None:
            super().handle_read()
            return
        try:
            self.recv(65536)  # discarded; at the end of the stream it closes the connection
        except OSError:
            self.handle_close()

    def received(self, data: bytes) -> bool:
        """Accept one request at most.

        In waitress one read may hold a hundred requests whose answers are all produced before one is taken. Clients
        that send the next request early are told to send it again: the connection is closed behind the answer.
        """
        with self.requests_lock:
            if self.will_close or self.close_when_flushed:
                return False
            if self.request is None and data.strip(b"\r\n"):
                self.waiting_since = time.monotonic()
            while data and not self.requests:
                self.request = self.request or self.parser_class(self.adj)
                data = data[self.request.received(data) :]
                self._invite_body()
                if self.request.completed:
                    self._accept_request(early=data)
        return True

    def _invite_body(self) -> None:
        request = self.request
        if request.expect_continue and request.headers_finished and not self.sent_continue:
            self.send_continue()

    def _accept_request(self, *, early: bytes) -> None:
        request, self.request, self.sent_continue = self.request, None, False
        if request.empty:
            return
        if early.strip(b"\r\n"):  # some clients add a line end to a form
            request.headers["CONNECTION"] = "close"
        self.waiting_since = time.monotonic()
        self.requests.append(request)
        self.server.add_task(self)

    # Sending

    def send(self, data: bytes, do_close: bool = True) -> int:
        count: int = super().send(data, do_close)
        self._sent += count
        return count

    def handle_write(self) -> None:
        if self.will_close or not self.close_when_flushed:
            super().handle_write()
            return
        # No task runs any more: the flag is the last thing it sets.
        self._flush_exception(self._flush_some)
        # If the client has closed the connection meanwhile, sending has ended it here too.
        if self.connected and not (self.total_outbufs_len or self.will_close):
            self._linger()

    def _linger(self) -> None:
        """Close in two steps: closing a socket with unread bytes in it makes the client lose the answer."""
        self.close_when_flushed = False
        self._lingering_since = time.monotonic()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    # Time

    def is_idle(self) -> bool:
        """Whether no request is in progress: between two requests, or before the first."""
        return not (self.requests or self.request or self.total_outbufs_len or self.close_when_flushed)

    def is_overdue(self, now: float, timeouts: Timeouts) -> bool:
        """Whether the client has taken too long. Checked once a second."""
        if self._lingering_since is not None:
            return now - self._lingering_since > LINGER
        if self.total_outbufs_len:
            return self._sends_too_slowly(now, timeouts.send)
        self._sending_mark = None
        if self.requests or self.close_when_flushed:
            self.waiting_since = now  # the site is taking the time, not the client
            return False
        in_body = self.request is not None and self.request.headers_finished
        return now - self.waiting_since > timeouts.receive * (BODY_FACTOR if in_body else 1)

    def _sends_too_slowly(self, now: float, seconds: float) -> bool:
        if self._sending_mark is None:
            self._sending_mark = now, self._sent
        began, sent = self._sending_mark
        if now - began < seconds:
            return False
        self._sending_mark = now, self._sent
        return self._sent - sent < MIN_SENDING_RATE * seconds
