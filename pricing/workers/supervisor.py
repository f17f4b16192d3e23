"""The loop behind `run_workers`: start, watch, scale and stop the clusters, and keep the work moving."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

import psutil
from django import db
from django.conf import settings
from django.utils import timezone

from collections_app import schema
from collections_app.data_version import data_version
from collections_app.discogs import gate
from collections_app.importing.steps import idle_imports
from collections_app.tasks import enqueue_import
from collections_app.times import StepWatch
from pricing.models import PriceJob
from pricing.monitoring import alerts, heartbeat, metrics, outage
from pricing.monitoring.stillness import Stillness
from pricing.sync import feeder, reconciler, runs, value_requests
from pricing.workers import schedules
from pricing.workers.cluster import Cluster
from pricing.workers.rhythm import Rhythm, interval
from pricing.workers.scaling import Load, Scaler
from pricing.workers.step_times import StepTimes
from pricing.workers.waiting import work_waits
from pricing.workers.watchdog import Watchdog

logger = logging.getLogger(__name__)

T = TypeVar("T")

DRAIN = 25.0  # seconds a cluster may take to finish what it holds
PLAN_SECONDS = 0.3  # for planning in each turn; jobs are queued in between
# For the load by which the workers are scaled.
RECENT = timedelta(seconds=15)
RECENT_FAULTS = timedelta(minutes=2)
SAMPLE = 100  # jobs
IN_WORK = (PriceJob.State.DUE, PriceJob.State.QUEUED, PriceJob.State.RUNNING)


class Supervisor:
    """Runs until `stop` is set by a signal handler or another thread."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._clusters: list[Cluster] = []
        self._scaler = Scaler(settings.PRICE_WORKERS_MIN, settings.PRICE_WORKERS_MAX)
        self._run_at: dict[str, float] = {}
        self._rhythm = Rhythm()
        self._clock = StepWatch()
        self._stillness = Stillness()
        self._watchdog = Watchdog()
        self._heartbeat = heartbeat.Heartbeat("supervisor", now=timezone.now())
        self._plans = runs.Plans()
        self._ahead = feeder.Ahead()
        self._times = StepTimes()

    def run(self) -> None:
        """Run until stopped; then let the clusters finish, for at most DRAIN seconds."""
        try:
            while not self.stop.is_set():
                self._tick()
                self.stop.wait(self._rhythm.pause)
        finally:
            self._shut_down()

    def _guarded(self, step: Callable[[], T], name: str) -> T | None:
        """Run a step; neither an unavailable database nor a programming error may end the supervisor."""
        try:
            with self._times.measure(name):
                result = step()
        except outage.AWAY as error:
            outage.note_away(error)
        except Exception:
            logger.exception("A step of the supervisor failed; it will be tried again.")
        else:
            return result
        db.close_old_connections()
        self.stop.wait(0.5)
        return None

    def _tick(self) -> None:
        now = timezone.now()
        self._guarded(self._replace_dead_clusters, "clusters")
        self._guarded(lambda: self._apply_clock_step(now), "clock")
        self._guarded(lambda: self._look_for_work(now), "look")
        if self._guarded(schema.mismatch, "schema") == "":
            self._move_work(now)
        self._every(2, "watch", lambda: self._restart_stuck(now))
        self._every(2, "scale", lambda: self._scale(now))
        self._every(3, "heartbeat", lambda: self._heartbeat.report(now=now))
        self._every(10, "alerts", lambda: alerts.evaluate(now, still_for=self._stillness.look()))
        self._every(60, "forget", lambda: heartbeat.delete_silent(now=now))

    def _move_work(self, now: datetime) -> None:
        """Advance jobs, imports and runs. Must not run while the database schema is of another version."""
        self._every(0, "feed", lambda: feeder.feed(now=now, ahead=self._ahead))
        # Looking for runs to plan costs a query, so it is done seldom while there is none.
        self._every(
            0 if self._plans.is_busy else 0.5,
            "plan",
            lambda: self._plans.work(now=now, seconds=PLAN_SECONDS),
        )
        self._every(0.5, "finish runs", lambda: runs.finish_runs(now=now))
        self._every(1, "values", lambda: value_requests.feed(now=now))
        self._every(1, "imports", lambda: self._queue_imports(now))
        self._every(2, "reconcile", lambda: self._reconcile(now))
        self._every(60, "schedules", lambda: schedules.tick(now=now))

    def _look_for_work(self, now: datetime) -> None:
        at, version = time.monotonic(), data_version()
        outage.note_answer()
        if self._rhythm.is_look_due(version, at=at):
            self._rhythm.note_look(version, work_waits=work_waits(now=now), at=at)

    def _every(self, seconds: float, name: str, step: Callable[[], object]) -> None:
        """Run a step if its last run is that long ago; while no work waits, longer."""
        clock, run_at = time.monotonic(), self._run_at.get(name)
        if run_at is None or clock - run_at >= interval(seconds, is_busy=self._rhythm.is_busy):
            self._run_at[name] = clock
            self._guarded(step, name)

    def _apply_clock_step(self, now: datetime) -> None:
        seconds = self._clock.seconds_set()
        if seconds:
            logger.warning("the clock of this machine was set by %+.0f s", seconds)
        if seconds < 0:
            reconciler.end_waits(now=now)

    def _replace_dead_clusters(self) -> None:
        """Replace clusters that ended without being asked to; drop those that were asked to stop."""
        for cluster in [cluster for cluster in self._clusters if not cluster.is_alive()]:
            if not cluster.stopping:
                logger.warning("cluster %s ended; starting another", cluster.pid)
            self._end(cluster)
        while len(self._working()) < settings.PRICE_WORKERS_MIN:
            self._start_cluster()

    def _start_cluster(self) -> None:
        cluster = Cluster()
        logger.info("cluster %s started", cluster.pid)
        self._clusters.append(cluster)

    def _working(self) -> list[Cluster]:
        return [cluster for cluster in self._clusters if not cluster.stopping]

    def _end(self, cluster: Cluster) -> None:
        cluster.kill()
        self._clusters.remove(cluster)

    def _scale(self, now: datetime) -> None:
        workers = len(self._working())
        decision = self._scaler.decide(workers, measure_load(now=now), at=time.monotonic())
        if decision.workers == workers:
            return
        logger.warning("workers: %s instead of %s, because %s", decision.workers, workers, decision.reason)
        for _ in range(workers, decision.workers):
            self._start_cluster()
        for cluster in self._working()[decision.workers :]:
            cluster.ask_to_stop()

    def _restart_stuck(self, now: datetime) -> None:
        for cluster in self._watchdog.stuck(self._working(), now=now):
            logger.error("cluster %s runs nothing although jobs wait; starting another", cluster.pid)
            self._end(cluster)
            reconciler.recover_dequeued(now=now)

    def _reconcile(self, now: datetime) -> None:
        reconciler.reconcile(now=now)
        silent = {int(name.rpartition(":")[2]) for name in reconciler.drop_unacknowledged(now=now)}
        if not silent:
            return  # listing the children of a process reads about every process of the machine
        for cluster in [cluster for cluster in self._working() if cluster.look_at_children() & silent]:
            logger.error("cluster %s acknowledges nothing; starting another", cluster.pid)
            self._end(cluster)

    @staticmethod
    def _queue_imports(now: datetime) -> None:
        for pass_id in idle_imports(now=now):
            enqueue_import(pass_id, now=now)

    def _shut_down(self) -> None:
        self._guarded(self._heartbeat.stop, "heartbeat")
        deadline = time.monotonic() + DRAIN
        for cluster in self._clusters:
            cluster.ask_to_stop()
        for cluster in self._clusters:
            if not cluster.wait(max(0.0, deadline - time.monotonic())):
                logger.warning("cluster %s did not finish in time; ending it", cluster.pid)
            cluster.kill()


def measure_load(*, now: datetime) -> Load:
    """Measure the load by which the workers are scaled: six small queries."""
    status = gate.status()
    p95_ms = metrics.request_p95_ms(now=now, within=RECENT, limit=SAMPLE)
    return Load(
        waiting=metrics.live_jobs(IN_WORK),
        rate_allowed=metrics.rate_of_this_host(now=now),
        p95_latency=(status.latency_ms if p95_ms is None else p95_ms) / 1000,
        throughput=metrics.jobs_per_second(now=now, within=RECENT),
        fault_share=metrics.fault_share(now=now, within=RECENT_FAULTS),
        cpu_percent=psutil.cpu_percent(),
        memory_percent=psutil.virtual_memory().percent,
        gate_open=not status.reason,
        worker_rate=settings.PRICE_WORKER_RATE_LIMIT / settings.DISCOGS_RATE_WINDOW,
    )
