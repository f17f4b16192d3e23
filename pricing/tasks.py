"""The queue's tasks of this app. Renaming a function here breaks queued rows."""

import logging
import os
import time
from dataclasses import dataclass
from datetime import UTC, timedelta

from django.core.cache import cache
from django.db import DatabaseError
from django.utils import timezone
from django_q.tasks import async_task

from collections_app import schema
from collections_app.discogs import process as discogs
from collections_app.discogs.client import Credentials, DiscogsClient
from pricing.daily import baselines, market, stored
from pricing.monitoring.heartbeat import Heartbeat
from pricing.precision import weights
from pricing.sync import value_requests
from pricing.sync.queue import OrderedBroker
from pricing.sync.refresh import Outcome, refresh_job

logger = logging.getLogger(__name__)

# Of one task of a nightly pass: prices of the same worker wait for it.
WEIGHTS_SECONDS = BASELINES_SECONDS = MARKET_SECONDS = 5.0
# In the cache while a task of that pass is queued or at work; then it is queued again.
BASELINES_QUEUED, MARKET_QUEUED, STEP_IS_LOST_SECONDS = "baselines:queued", "market:queued", 180


@dataclass(frozen=True)
class WorkerProcess:
    """The state that a worker process keeps between its tasks."""

    pid: int
    heartbeat: Heartbeat

    def client_for(self, credentials: Credentials, interactive: bool = False) -> DiscogsClient:
        return discogs.this_process().client_for(credentials, interactive)


_process: WorkerProcess | None = None


def this_process() -> WorkerProcess:
    """The state of this process, created again after a fork."""
    global _process  # noqa: PLW0603 one per process is the point
    if _process is None or _process.pid != os.getpid():
        _process = WorkerProcess(os.getpid(), Heartbeat("worker", now=timezone.now()))
    return _process


def note_start(**_: object) -> None:
    """Report that a task begins, of whatever kind: the watchdog considers a process without reports stuck.

    A receiver of django-q2's pre_execute: an exception here would end the worker.
    """
    try:
        this_process().heartbeat.report(now=timezone.now())
    except Exception as error:
        logger.warning("the start of a task was not reported: %s", type(error).__name__)


def refresh_price(job_id: int) -> None:
    """Task: fetch and store the price of one job's release."""
    if schema.mismatch():
        return  # the job stays queued; without a row it becomes due again
    process, started = this_process(), time.monotonic()
    try:
        outcome = refresh_job(job_id, client_for=process.client_for, clock=timezone.now)
    except DatabaseError:
        schema.check_again()
        raise
    if outcome in {Outcome.KNOWN, Outcome.FAILED}:
        failed = outcome == Outcome.FAILED
        process.heartbeat.count_job(failed=failed, seconds=time.monotonic() - started)
    process.heartbeat.report(now=timezone.now())


def work_value_request(request_id: int) -> None:
    """Task: compute a value, or request the values that a run has changed."""
    process = this_process()
    # Report before and after: a worker that computes values for a minute is not stuck.
    process.heartbeat.report(now=timezone.now())
    value_requests.work(request_id, now=timezone.now())
    process.heartbeat.report(now=timezone.now())


def renew_weights() -> None:
    """Task: some steps of the nightly pass over all weights; it queues itself again until the pass is complete."""
    process, deadline = this_process(), time.monotonic() + WEIGHTS_SECONDS
    now = timezone.now()
    if schema.mismatch() or weights.is_complete(now=now):
        return  # of another version, or delivered twice; the schedule queues an incomplete pass again
    row = weights.begin_pass(now=now)
    world = weights.read_world()
    while weights.step(row, world, now=timezone.now()):
        process.heartbeat.report(now=timezone.now())
        if time.monotonic() >= deadline:
            enqueue_weights()
            return


def enqueue_weights() -> None:
    """Queue steps of the nightly pass, behind all prices."""
    async_task(f"{__name__}.renew_weights", save=False, broker=OrderedBroker(ahead=timedelta(0)))


def renew_baselines() -> None:
    """Task: some steps of the nightly pass over all baselines; it queues itself again until none is behind."""
    if schema.mismatch():
        return  # the schedule queues the pass again
    process, deadline = this_process(), time.monotonic() + BASELINES_SECONDS
    last: int | None = -1
    while last is not None:
        if time.monotonic() >= deadline:
            enqueue_baselines()
            return
        last = baselines.renew_next(last, today=timezone.now().astimezone(UTC).date())
        process.heartbeat.report(now=timezone.now())


def enqueue_baselines() -> None:
    """Queue steps of that pass, behind all prices."""
    cache.set(BASELINES_QUEUED, True, STEP_IS_LOST_SECONDS)
    async_task(f"{__name__}.renew_baselines", save=False, broker=OrderedBroker(ahead=timedelta(0)))


def store_market() -> None:
    """Task: some steps of the sums of past days of the market; it queues itself again until no day is missing."""
    if schema.mismatch():
        return  # the schedule queues it again
    process, deadline = this_process(), time.monotonic() + MARKET_SECONDS
    while market.step_next(now=timezone.now()):
        process.heartbeat.report(now=timezone.now())
        if time.monotonic() >= deadline:
            enqueue_market()
            return


def enqueue_market() -> None:
    """Queue steps of those sums, behind all prices."""
    cache.set(MARKET_QUEUED, True, STEP_IS_LOST_SECONDS)
    async_task(f"{__name__}.store_market", save=False, broker=OrderedBroker(ahead=timedelta(0)))


def settle_value(user_id: int) -> None:
    """Task, for rows queued by an earlier version only: recompute a user's last two daily values."""
    stored.settle_value(user_id, now=timezone.now())
    this_process().heartbeat.report(now=timezone.now())
