"""One worker cluster: a `qcluster` process and its children, in a process group of their own."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field

import psutil
from django.conf import settings

PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass
class Cluster:
    """Constructing it starts the process group; `kill` ends the whole group."""

    stopping: bool = False
    started: float = field(default_factory=time.monotonic)
    # When a child was found missing; a killed child may have left a lock behind that is never released.
    suspect_since: float | None = None
    _children: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"],
            start_new_session=True,
            # The supervisor has no threads when it starts a cluster.
            preexec_fn=end_with_parent,  # noqa: PLW1509
        )
        self.pid = self._process.pid

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def look_at_children(self) -> frozenset[int]:
        """The processes below the main one; records in `suspect_since` when one seen before is gone."""
        try:
            children = frozenset(child.pid for child in psutil.Process(self.pid).children(recursive=True))
        except psutil.NoSuchProcess:
            children = frozenset()
        if self._children - children:
            self.suspect_since = time.monotonic()
        self._children = children
        return children

    def ask_to_stop(self) -> None:
        """Ask the cluster to finish the tasks it holds and stop."""
        self.stopping = True
        # Only the main process gets the signal: signalling the whole group at once makes django-q2 hang.
        if self.is_alive():
            self._process.terminate()

    def kill(self) -> None:
        """Kill every process of the group, even if its main process is already gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def wait(self, seconds: float) -> bool:
        """Wait for the main process for up to this many seconds; returns whether it has ended."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


def end_with_parent() -> None:
    """Arrange, in a child before exec, that it gets SIGTERM if its parent dies. On Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
