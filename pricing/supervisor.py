"""Start, watch and stop the worker clusters, and keep the work moving.

Each cluster is one `qcluster` with one worker, in a process group of its own: it dies as a whole.
"""

import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime

from django import db
from django.conf import settings
from django.utils import timezone

from collections_app.importer import idle_imports
from collections_app.tasks import enqueue_import
from pricing import feeder, health, planner, values

logger = logging.getLogger(__name__)

TICK = 0.2  # seconds
DRAIN = 25.0  # seconds a cluster may take to finish what it holds
PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Cluster:
    """One cluster process with its children."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"],
            start_new_session=True,
            # The supervisor has no threads when it starts a cluster.
            preexec_fn=end_with_parent,  # noqa: PLW1509
        )
        self.pid = self._process.pid

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask_to_stop(self) -> None:
        # To its main process only: the whole group at once makes django-q2 hang.
        if self.is_alive():
            self._process.terminate()

    def kill(self) -> None:
        """End every process of the group, also when its main process is gone already."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def wait(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


class Supervisor:
    """The loop behind `run_workers`. `stop` may be set from a signal handler or another thread."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._clusters: list[Cluster] = []
        self._due: dict[str, float] = {}
        self._heart = health.Heart("supervisor", now=timezone.now())

    def run(self) -> None:
        """Work until stopped; then let the clusters finish, for at most DRAIN seconds."""
        try:
            while not self.stop.is_set():
                self._guarded(self._tick)
                self.stop.wait(TICK)
        finally:
            self._shut_down()

    def _guarded(self, step: Callable[[], None]) -> None:
        """A database that is away for a while must not end the supervisor."""
        try:
            step()
        except db.Error:
            logger.exception("The database did not answer; trying again in a second.")
            db.close_old_connections()
            self.stop.wait(1)

    def _tick(self) -> None:
        now = timezone.now()
        self._watch_clusters()
        feeder.feed(now=now)
        self._every(0.5, "advance", lambda: self._advance(now))
        self._every(1, "imports", lambda: self._queue_imports(now))
        self._every(2, "reconcile", lambda: feeder.reconcile(now=now))
        self._every(3, "heartbeat", lambda: self._heart.beat(now=now))
        self._every(600, "values", lambda: values.store_missing_values(now=now))
        self._every(600, "forget", lambda: health.forget_silent(now=now))

    def _every(self, seconds: float, name: str, step: Callable[[], object]) -> None:
        if time.monotonic() >= self._due.get(name, 0.0):
            self._due[name] = time.monotonic() + seconds
            step()

    def _watch_clusters(self) -> None:
        for cluster in [cluster for cluster in self._clusters if not cluster.is_alive()]:
            logger.warning("cluster %s ended; starting another", cluster.pid)
            cluster.kill()
            self._clusters.remove(cluster)
        while len(self._clusters) < settings.PRICE_WORKERS_MIN:
            self._clusters.append(Cluster())

    @staticmethod
    def _advance(now: datetime) -> None:
        for run in planner.advance_runs(now=now):
            if run.user_id:
                values.store_value(run.user_id, now=now)

    @staticmethod
    def _queue_imports(now: datetime) -> None:
        for pass_id in idle_imports(now=now):
            enqueue_import(pass_id, now=now)

    def _shut_down(self) -> None:
        self._guarded(self._heart.stop)
        deadline = time.monotonic() + DRAIN
        for cluster in self._clusters:
            cluster.ask_to_stop()
        for cluster in self._clusters:
            if not cluster.wait(max(0.0, deadline - time.monotonic())):
                logger.warning("cluster %s did not finish in time; ending it", cluster.pid)
            cluster.kill()


def end_with_parent() -> None:
    """In a child, before it starts: be asked to stop should the parent die. On Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
