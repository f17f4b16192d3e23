"""Several processes that serve one socket, started and stopped by their parent."""

import logging
import os
import signal
import time
from collections.abc import Callable
from typing import Any

from pricing.workers.forking import ENDING, fork

logger = logging.getLogger(__name__)


class Prefork:
    """Keep `processes` children running `serve`, until SIGTERM or SIGINT. Must be run by the main thread.

    Children share the memory of what was loaded before: they are forked, and never execute anything else.
    """

    def __init__(self, processes: int, serve: Callable[[], None], *, stop_within: float) -> None:
        self._processes = processes
        self._serve = serve
        self._stop_within = stop_within
        self._children: set[int] = set()
        self._stopping = False

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGALRM, self._kill)
        for _ in range(self._processes):
            self._start()
        while self._children:
            pid, status = os.wait()
            self._children.discard(pid)
            if not self._stopping:
                self._replace(pid, os.waitstatus_to_exitcode(status))

    def _replace(self, pid: int, code: int) -> None:
        logger.error("web process %s ended with status %s; starting another", pid, code)
        time.sleep(1)  # a process that cannot start must not use up the machine
        self._start()

    def _start(self) -> None:
        # A signal between the fork and the next line would miss the new process.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        try:
            if not self._stopping:
                self._children.add(fork(self._serve_alone))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _serve_alone(self) -> None:
        # Ctrl-C reaches the parent too, which stops its children.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._serve()

    def _stop(self, *_: Any) -> None:
        self._stopping = True
        for pid in self._children:
            os.kill(pid, signal.SIGTERM)
        signal.setitimer(signal.ITIMER_REAL, self._stop_within)

    def _kill(self, *_: Any) -> None:
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)
