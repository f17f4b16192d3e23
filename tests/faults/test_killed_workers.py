"""Killed processes are replaced, and no result is lost or doubled. Each test ends with an ordinary sync."""

import os
import signal

import psutil
import pytest
from django.utils import timezone

from pricing.models import PriceJob, PriceSnapshot, SyncRun
from pricing.sync import runs
from tests.pricing.engine import import_all
from tests.processes import descendants, eventually

pytestmark = [pytest.mark.fault, pytest.mark.processes, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def collector(make_collector, sandbox):
    user = make_collector(sandbox, release_ids=range(1000, 1120))
    import_all(user)
    sandbox.reset("stats")
    return user


def start_sync(user) -> SyncRun:
    return runs.start_sync(user, trigger=SyncRun.Trigger.CLICK, now=timezone.now(), import_first=False)


def busy_workers() -> set[int]:
    """The living workers with a job: the job of a killed worker stays “running” until the reconciler finds it."""
    running = PriceJob.objects.filter(state=PriceJob.State.RUNNING).exclude(worker="")
    workers = {int(worker.rpartition(":")[2]) for worker in running.values_list("worker", flat=True)}
    return {pid for pid in workers if is_alive(pid)}


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def finished(run: SyncRun) -> bool:
    run.refresh_from_db()
    return run.state == SyncRun.State.FINISHED


def test_killed_busy_workers_lose_nothing(collector, sandbox, site):
    sandbox.set_limit(latency=0.2)  # so that a worker is busy most of the time
    run = start_sync(collector)
    site.start("run_workers")
    for done in (5, 25, 45):
        eventually(
            lambda done=done: PriceSnapshot.objects.count() >= done, within=60, what=f"{done} snapshots"
        )
        victim = eventually(busy_workers, within=30, what="a busy worker").pop()
        os.kill(victim, signal.SIGKILL)
    eventually(lambda: finished(run), within=120, what="the end of the run")
    assert PriceSnapshot.objects.count() == 120
    assert not PriceJob.objects.filter(state=PriceJob.State.DEAD).exists()
    # For each killed worker, at most the request in flight is repeated.
    assert sandbox.stats()["accepted"] <= 120 + 3
    assert sandbox.stats()["refused"] == 0
    ordinary = site.run_json("sync_prices", "--user", "collector", "--wait", "--force")
    assert ordinary["failed"] == 0


def test_sigterm_ends_all_within_30_seconds(collector, site):
    start_sync(collector)
    workers = site.start("run_workers")
    eventually(lambda: PriceSnapshot.objects.count() >= 5, within=60, what="5 snapshots")
    family = descendants(workers.pid)
    workers.send_signal(signal.SIGTERM)
    workers.wait(30)
    eventually(lambda: not [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE],
               within=20, what="the end of every process")  # fmt: skip
    assert not PriceJob.objects.filter(state=PriceJob.State.RUNNING).exists()
    ordinary = site.run_json("sync_prices", "--user", "collector", "--wait")
    assert ordinary["failed"] == 0
