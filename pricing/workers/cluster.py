"""One worker cluster: the processes of django-q2, in a process group of their own."""

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field

import psutil
from django_q.cluster import Cluster as Processes

from pricing.workers.forking import Forked


@dataclass
class Cluster:
    """Constructing it forks the process group from this process; `kill` ends the whole group."""

    stopping: bool = False
    started: float = field(default_factory=time.monotonic)
    # When a child was found missing; a killed child may have left a lock behind that is never released.
    suspect_since: float | None = None
    _children: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        # The supervisor has no threads when it starts a cluster.
        self._process = Forked(run_processes)
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
        self._process.terminate()

    def kill(self) -> None:
        """Kill every process of the group, even if its main process is already gone."""
        self._process.kill()  # one that was just forked leads no group yet
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


def run_processes() -> None:
    """What `manage.py qcluster` does: run django-q2's processes until SIGTERM."""
    processes = Processes()
    processes.start()
    processes.sentinel.join()
