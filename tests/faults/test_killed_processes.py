"""Every kind of process is killed with -9 in turn during one sync, and the work continues without an operator."""

import os
import signal
import sys
import time

import psutil
import pytest
from django.utils import timezone

from pricing.models import PriceJob, PriceSnapshot, SyncRun
from pricing.sync import runs
from tests.pricing.engine import import_all
from tests.processes import descendants, eventually

pytestmark = [
    pytest.mark.long,
    pytest.mark.fault,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
]

ONE_WORKER = {"PRICE_WORKERS_MIN": "1", "PRICE_WORKERS_MAX": "1"}
ONE_CLUSTER = 5  # processes: main, sentinel, worker, monitor and pusher
PROGRESS_WITHIN = 60  # seconds, unattended


@pytest.fixture
def start_run(make_collector, sandbox):
    """Import a collection of this many releases and start a sync of it."""

    def start(releases: int) -> SyncRun:
        user = make_collector(sandbox, release_ids=range(1000, 1000 + releases))
        import_all(user)
        sandbox.reset("stats")
        return runs.start_sync(user, trigger=SyncRun.Trigger.CLICK, now=timezone.now(), import_first=False)

    return start


def await_end(run: SyncRun, *, within: float = 180) -> None:
    eventually(
        lambda: SyncRun.objects.get(pk=run.pk).state == "finished", within=within, what="the end of the run"
    )


def assert_ordinary_sync_succeeds(site) -> None:
    facts = site.run_json("sync_prices", "--release", "1000", "1001", "1002", "--wait", "--force")
    assert (facts["total"], facts["failed"], facts["requests"]) == (3, 0, 3)


class Family:
    """The processes of the only cluster of a supervisor, by their role."""

    def __init__(self, supervisor: int) -> None:
        self.main = psutil.Process(supervisor).children()[0]
        self.sentinel = self.main.children()[0]
        # django-q2 starts them in this order.
        self.worker, self.monitor, self.pusher = sorted(
            self.sentinel.children(), key=psutil.Process.create_time
        )

    def kill(self, part: str) -> None:
        if part == "group":
            os.killpg(self.main.pid, signal.SIGKILL)
        else:
            getattr(self, part).kill()


def family_of(supervisor: int) -> Family | None:
    try:
        return Family(supervisor)
    except (IndexError, ValueError, psutil.NoSuchProcess):
        return None  # the cluster is still starting


def snapshots() -> int:
    return PriceSnapshot.objects.count()


def kill_and_see_progress(supervisor: int, part: str, run: SyncRun) -> float:
    """Kill one process; return the seconds until the next price was stored."""
    family = eventually(lambda: family_of(supervisor), within=PROGRESS_WITHIN, what="a whole cluster")
    started = snapshots()
    eventually(lambda: snapshots() > started, within=PROGRESS_WITHIN, what="the first price of the cluster")
    if part == "idle worker":
        runs.pause_run(run)
        live = PriceJob.objects.filter(state__in=(PriceJob.State.RUNNING, PriceJob.State.QUEUED))
        eventually(lambda: not live.exists(), within=30, what="an idle worker")
        family.kill("worker")
        runs.resume_run(run)
    else:
        family.kill(part)
    # A request that was under way may still be stored.
    time.sleep(0.5)
    before, killed_at = snapshots(), time.monotonic()
    eventually(
        lambda: snapshots() > before, within=PROGRESS_WITHIN, what=f"progress after the {part} was killed"
    )
    return time.monotonic() - killed_at


def test_sync_survives_any_killed_process(start_run, sandbox, site, capsys):
    run, seconds = start_run(420), {}
    for part in ("worker", "idle worker", "pusher", "monitor", "sentinel", "main", "group"):
        # A new cluster for each part, because its processes are identified by their age.
        supervisor = site.start("run_workers", **ONE_WORKER)
        seconds[part] = kill_and_see_progress(supervisor.pid, part, run)
        eventually(
            lambda of=supervisor.pid: len(descendants(of)) == 1 + ONE_CLUSTER,
            within=PROGRESS_WITHIN,
            what=f"one whole cluster after the {part} was killed",
        )
        supervisor.terminate()
        supervisor.wait(30)
    site.start("run_workers")
    await_end(run)
    with capsys.disabled():
        figures = ", ".join(f"{part} {took:.1f} s" for part, took in seconds.items())
        sys.stdout.write(f"\nuntil the next price after kill -9: {figures}\n")
    assert snapshots() == 420
    assert not PriceJob.objects.filter(state=PriceJob.State.DEAD).exists()
    assert sandbox.stats()["refused"] == 0
    assert sandbox.stats()["accepted"] <= 420 + len(seconds)
    assert_ordinary_sync_succeeds(site)


def test_killed_supervisor_leaves_no_orphans(start_run, site):
    start_run(200)
    first = site.start("run_workers")
    eventually(lambda: snapshots() >= 5, within=60, what="the first prices")
    family = descendants(first.pid)
    first.kill()
    alive = [psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD]
    eventually(
        lambda: not [process for process in family if process.is_running() and process.status() not in alive],
        within=45,
        what="the end of every process below the killed supervisor",
    )
    before = snapshots()
    site.start("run_workers")
    eventually(lambda: snapshots() > before, within=PROGRESS_WITHIN, what="progress with a new supervisor")


def test_job_killing_its_worker_fails_after_three(start_run, sandbox, site):
    """A poison job: each worker that fetches this release is killed during the request."""
    run = start_run(60)
    sandbox.add_fault(path="/releases/1003", kind="slow", seconds=5)
    site.start("run_workers")
    poison = PriceJob.objects.filter(release_id=1003)
    for start in (1, 2, 3):
        running = poison.filter(state=PriceJob.State.RUNNING, attempts=start)
        job = eventually(running.first, within=PROGRESS_WITHIN, what=f"start {start} of the poison job")
        os.kill(int(job.worker.rpartition(":")[2]), signal.SIGKILL)
    job = eventually(
        poison.filter(state=PriceJob.State.DEAD).first, within=60, what="the end of the poison job"
    )
    assert (job.attempts, job.error_kind) == (3, "worker")
    await_end(run)
    assert snapshots() == 59
    assert_ordinary_sync_succeeds(site)


def test_queued_jobs_survive_a_new_secret_key(start_run, site):
    run = start_run(120)
    old = site.start("run_workers", SECRET_KEY="before-" + "ab" * 30, PRICE_QUEUE_SIZE="100")
    eventually(lambda: snapshots() >= 1, within=60, what="the first price")
    old.kill()
    queued = PriceJob.objects.filter(state=PriceJob.State.QUEUED).count()
    assert queued >= 90
    site.start("run_workers", SECRET_KEY="after-" + "cd" * 30)
    await_end(run)
    assert snapshots() == 120
    assert_ordinary_sync_succeeds(site)
