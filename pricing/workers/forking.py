"""Fork processes that share the memory of what is already loaded, and end with their parent."""

import ctypes
import gc
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import NoReturn

from django.db import connections

logger = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1  # linux/prctl.h
ENDING = {signal.SIGTERM, signal.SIGINT, signal.SIGALRM}
POLL = 0.05  # seconds


class Forked:
    """A forked process that leads a session, and so a process group, of its own. Used like `subprocess.Popen`."""

    def __init__(self, run: Callable[[], object]) -> None:
        self.pid = fork(run, in_session=True)
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self._reap(os.WNOHANG)

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait until it has ended. Raises subprocess.TimeoutExpired after this many seconds."""
        if timeout is None:
            return self._reap(0)
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("a forked process", timeout)
            time.sleep(POLL)
        return self.returncode

    def terminate(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def _reap(self, options: int) -> int | None:
        if self.returncode is None:  # until it was reaped, its pid belongs to no other process
            pid, status = os.waitpid(self.pid, options)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode


def fork(run: Callable[[], object], *, in_session: bool = False) -> int:
    """Run a function in a new process; returns its pid. Must be called by the main thread, the only one.

    The process starts with the default action for signals that end it, whatever its parent does about them, and never
    returns from here. in_session: it leads a session, and so a process group, of its own.
    """
    share_memory()
    parent = os.getpid()
    # Otherwise the new process could take a signal with a handler of its parent, and go on.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        pid = os.fork()
        if not pid:
            _be_child(run, parent=parent, in_session=in_session)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid


def share_memory() -> None:
    """Prepare for a fork: no connection may be used by two processes, and no page be copied without need."""
    connections.close_all()
    gc.collect()
    # A collection writes to every object that it looks at, and so would copy all of them in each process.
    gc.freeze()


def _be_child(run: Callable[[], object], *, parent: int, in_session: bool) -> NoReturn:
    code = 1
    try:
        if in_session:
            os.setsid()
        for number in ENDING:
            signal.signal(number, signal.SIG_DFL)
        end_with_parent()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        if os.getppid() == parent:
            run()
        code = 0
    except SystemExit as end:  # of a command that has said why
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        logger.exception("process %s failed", os.getpid())
    finally:
        os._exit(code)  # must not run the parent's exit handlers


def end_with_parent() -> None:
    """Arrange that this process gets SIGTERM if its parent dies. On Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
