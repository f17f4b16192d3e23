"""The watchdog: which clusters it considers stuck, from one check to the next."""

import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from django_q.models import OrmQ
from django_q.signals import pre_execute
from django_q.tasks import async_task

from collections_app.discogs.gate import configured_gate
from pricing.models import PriceJob, WorkerHeartbeat
from pricing.workers.watchdog import Watchdog
from tests import factories as make

pytestmark = pytest.mark.django_db
STALL = 35  # seconds; a little more than the default PRICE_TASK_TIMEOUT
WORKER = 4_000_001  # no process has this number


@dataclass
class QuietCluster:
    """What the watchdog sees of a cluster, without its processes."""

    pid: int = 4_000_000
    stopping: bool = False
    started: float = 0.0
    suspect_since: float | None = None

    def look_at_children(self) -> frozenset[int]:
        return frozenset({WORKER})


class Scene:
    """A cluster that has been idle for ten minutes, checked every two seconds."""

    def __init__(self) -> None:
        self.clock = 600.0
        self.cluster = QuietCluster()
        self.watchdog = Watchdog(steady=lambda: self.clock)
        self.check(seconds=4)

    def check(self, *, seconds: float, every: float = 2.0) -> bool:
        """Check for that long; returns whether the cluster was ever found stuck."""
        until, found = self.clock + seconds, False
        while self.clock < until:
            self.clock += every
            found = bool(self.watchdog.stuck([self.cluster], now=timezone.now())) or found
        return found

    def report(self, seen_at: datetime | None = None) -> None:
        """Write a report of the worker."""
        WorkerHeartbeat.objects.update_or_create(
            host=socket.gethostname(),
            pid=WORKER,
            defaults={"role": "worker", "started_at": timezone.now(), "seen_at": seen_at or timezone.now()},
        )


@pytest.fixture
def scene() -> Scene:
    return Scene()


def enqueue() -> None:
    """Queue a step of an import, at the front."""
    async_task("collections_app.tasks.run_import_step", 0, save=False)


def test_watchdog_gives_the_first_row_its_time(scene):
    enqueue()
    assert not scene.check(seconds=STALL - 5)


def test_watchdog_finds_one_without_progress(scene):
    enqueue()
    assert scene.check(seconds=STALL + 2)


def test_watchdog_keeps_a_cluster_that_reports(scene):
    enqueue()
    for _ in range(8):
        scene.report()
        assert not scene.check(seconds=28)


def test_watchdog_ignores_the_wall_clock(scene):
    enqueue()
    for number in range(6):
        scene.report(datetime(2026, 1, 1, tzinfo=UTC) - timedelta(hours=number))
        assert not scene.check(seconds=28)
    assert scene.check(seconds=STALL)


def test_watchdog_recounts_after_an_empty_queue(scene):
    for _ in range(3):
        enqueue()
        assert not scene.check(seconds=STALL - 5)
        OrmQ.objects.all().delete()
        assert not scene.check(seconds=2)


def test_watchdog_recounts_after_a_shut_gate(scene):
    enqueue()
    assert not scene.check(seconds=STALL - 5)
    configured_gate().record_refusal(retry_after=600)
    assert not scene.check(seconds=100)


def test_watchdog_recounts_after_a_long_pause(scene):
    """An outage of the database: no check runs, and no cluster makes progress."""
    enqueue()
    scene.check(seconds=2)
    scene.clock += 60
    assert not scene.check(seconds=STALL - 5)


def test_watchdog_suspects_lost_children(scene):
    enqueue()
    scene.cluster.suspect_since = scene.clock
    assert not scene.check(seconds=6)
    assert scene.check(seconds=6)


def test_watchdog_suspects_a_finishing_cluster(scene):
    """When a pusher is killed, its worker still has a task or two."""
    enqueue()
    scene.cluster.suspect_since = scene.clock
    scene.check(seconds=2)
    scene.report()
    assert not scene.check(seconds=8)
    assert scene.check(seconds=4)


def test_watchdog_trusts_a_recovered_suspect(scene):
    enqueue()
    scene.cluster.suspect_since = scene.clock
    for _ in range(10):
        scene.report()
        assert not scene.check(seconds=6)
    assert scene.cluster.suspect_since is None
    assert not scene.check(seconds=20)


def test_watchdog_lets_a_suspect_await_a_request(scene):
    enqueue()
    scene.report()
    PriceJob.objects.create(
        release=make.make_release(),
        state=PriceJob.State.RUNNING,
        lease_owner=uuid4(),
        worker=f"{socket.gethostname()}:{WORKER}",
        created_at=timezone.now(),
    )
    scene.cluster.suspect_since = scene.clock
    assert not scene.check(seconds=28)
    assert scene.check(seconds=10)


@pytest.mark.parametrize("field", ["stopping", "started"])
def test_watchdog_ignores_starting_and_stopping(scene, field):
    enqueue()
    scene.cluster.stopping = field == "stopping"
    scene.cluster.started = scene.clock if field == "started" else 0.0
    assert not scene.check(seconds=14)


# Reports ------------------------------------------------------------------------------------------------


def test_report_is_made_when_a_task_begins():
    pre_execute.send(sender="django_q", func=None, task={})
    assert WorkerHeartbeat.objects.filter(host=socket.gethostname(), role="worker").exists()


def test_report_that_fails_ends_no_worker(caplog):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.backends.utils.CursorWrapper.execute", lambda *_: 1 / 0)
        from pricing import tasks

        tasks._process = None
        pre_execute.send(sender="django_q", func=None, task={})
    assert "was not reported: ZeroDivisionError" in caplog.text
