"""Several processes that serve one socket, started and stopped by their parent."""

import gc
import logging
import os
import signal
import time
from collections.abc import Callable
from typing import Any

from django.db import connections

from pricing.workers.cluster import end_with_parent

logger = logging.getLogger(__name__)

ENDING = {signal.SIGTERM, signal.SIGINT, signal.SIGALRM}


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
        connections.close_all()  # a connection must not be used by two processes
        gc.collect()
        gc.freeze()  # a collection would write to, and so copy, what the processes share
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
            if self._stopping:
                return
            parent = os.getpid()
            pid = os.fork()
            if not pid:
                self._be_child(parent, before)
            self._children.add(pid)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _be_child(self, parent: int, mask: set[Any]) -> None:
        code = 1
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.signal(
                signal.SIGINT, signal.SIG_IGN
            )  # Ctrl-C reaches the parent too, which stops its children
            end_with_parent()
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            if os.getppid() == parent:
                self._serve()
            code = 0
        except BaseException:
            logger.exception("web process failed")
        finally:
            os._exit(code)  # must not run the parent's exit handlers

    def _stop(self, *_: Any) -> None:
        self._stopping = True
        for pid in self._children:
            os.kill(pid, signal.SIGTERM)
        signal.setitimer(signal.ITIMER_REAL, self._stop_within)

    def _kill(self, *_: Any) -> None:
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)
