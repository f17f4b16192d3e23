"""Alerts about the engine, each with a message: what happened, what was kept, what to do next.

An alert opens once, however many supervisors detect it, and closes when its condition has been false for a minute.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.core.cache import cache
from django.core.mail import mail_admins
from django.db.models import Max

from pricing.models import HealthAlert, SyncRun, WorkerHeartbeat
from pricing.monitoring.heartbeat import workers_are_running
from pricing.monitoring.metrics import Metrics, measure

logger = logging.getLogger(__name__)

MAX_FAILED = 0.2  # share of the recent jobs
MIN_SAMPLE = 10  # jobs: a failure rate of two jobs means little
STALLED_AFTER = timedelta(seconds=60)
STILL_AFTER = timedelta(minutes=5)
OUTAGE_AFTER = timedelta(minutes=5)
MAX_REFUSALS = 3  # in a row
CALM = timedelta(seconds=60)
FOUND_AT = "health-alerts-wrong-at"  # cache key: {kind: when it was last found, in epoch seconds}


class Kind(StrEnum):
    ERROR_RATE = "error_rate"
    STALL = "stall"
    NO_WORKERS = "no_workers"
    OUTAGE = "outage"
    REFUSALS = "refusals"
    MEMORY = "memory"
    SCHEMA = "schema"


TITLES = {
    Kind.ERROR_RATE: "Many price jobs fail",
    Kind.STALL: "Nothing moves",
    Kind.NO_WORKERS: "No workers run",
    Kind.OUTAGE: "Discogs does not answer",
    Kind.REFUSALS: "Discogs refuses requests",
    Kind.MEMORY: "A worker holds too much memory",
    Kind.SCHEMA: "The database is of another version",
}
# The other kinds are warnings: work continues.
ERRORS = {Kind.STALL, Kind.NO_WORKERS, Kind.OUTAGE, Kind.SCHEMA}


@dataclass(frozen=True, slots=True)
class Finding:
    kind: Kind
    message: str


def decide(metrics: Metrics, *, now: datetime) -> list[Finding]:
    """The findings that follow from these metrics. Pure."""
    if metrics.mismatch:
        return [Finding(Kind.SCHEMA, metrics.mismatch)]  # every other problem follows from it
    findings = (
        _error_rate(metrics),
        _stall(metrics, now),
        _still(metrics, now),
        _outage(metrics, now),
        _refusals(metrics),
        _memory(metrics),
    )
    return [finding for finding in findings if finding]


def _error_rate(metrics: Metrics) -> Finding | None:
    if metrics.finished < MIN_SAMPLE or metrics.failed <= MAX_FAILED * metrics.finished:
        return None
    return Finding(
        Kind.ERROR_RATE,
        f"{metrics.failed} of the last {metrics.finished} price jobs failed. Stored prices stay as they are, and "
        "failed releases can be retried from their sync. Look at the price jobs by kind of error.",
    )


def _stall(metrics: Metrics, now: datetime) -> Finding | None:
    if metrics.idle_since is None or now - metrics.idle_since < STALLED_AFTER:
        return None
    if metrics.still_for is not None and metrics.still_for < STALLED_AFTER:
        return None  # the clock was set forward, so the time only seems that long
    return Finding(
        Kind.STALL,
        "Jobs are waiting and requests to Discogs are allowed, but no job has started or ended since "
        f"{_clock(metrics.idle_since)}. Nothing is lost: the jobs stay in their table. Stuck workers are replaced "
        "automatically; if this lasts, restart run_workers and check its log.",
    )


def _still(metrics: Metrics, now: datetime) -> Finding | None:
    """Detect a standstill for any reason, trusting no stored time. Outages and stalls have their own messages."""
    if (
        metrics.still_for is None
        or metrics.still_for < STILL_AFTER
        or _stall(metrics, now)
        or _outage(metrics, now)
    ):
        return None
    return Finding(
        Kind.STALL,
        f"Work is waiting, but none has ended for {metrics.still_for // timedelta(minutes=1)} minutes: "
        f"{metrics.held_up_by}. Nothing is lost: jobs and imports stay in their tables and continue automatically. If "
        "this lasts, check the log of run_workers and the clock of its machine.",
    )


def _outage(metrics: Metrics, now: datetime) -> Finding | None:
    since = metrics.breaker_open_since
    if since is None or now - since < OUTAGE_AFTER:
        return None
    return Finding(
        Kind.OUTAGE,
        f"Discogs has not answered properly since {_clock(since)}. Only a probe is sent now and then; jobs wait "
        "without losing an attempt and continue automatically. If Discogs works in a browser, check the network of "
        "the machine that runs the workers.",
    )


def _refusals(metrics: Metrics) -> Finding | None:
    if metrics.refusals < MAX_REFUSALS:
        return None
    return Finding(
        Kind.REFUSALS,
        f"Discogs refused {metrics.refusals} requests in a row (429), so all requests pause, longer each time. No job "
        "loses an attempt. Another program uses Discogs from this address, or hosts behind it have different names "
        "in DISCOGS_EGRESS: give them one name, or lower DISCOGS_RATE_LIMIT.",
    )


def _memory(metrics: Metrics) -> Finding | None:
    if not metrics.heavy:
        return None
    worker = metrics.heavy[0]
    return Finding(
        Kind.MEMORY,
        f"Worker {worker.name} holds {worker.rss_bytes / 1e6:.0f} MB, more than its limit of "
        f"{worker.limit_bytes / 1e6:.0f} MB. It is replaced after its task, so nothing is lost. If this happens again "
        "every few minutes, lower PRICE_WORKERS_MAX or give the machine more memory.",
    )


def evaluate(now: datetime, *, still_for: timedelta | None = None) -> list[HealthAlert]:
    """Open and close alerts according to the current metrics; returns the open ones. For the supervisor.

    still_for: as measured by the supervisor's Stillness; None if that is not measured.
    """
    findings = decide(measure(now=now, still_for=still_for), now=now)
    for finding in findings:
        _open(finding, now=now)
    before = cache.get(FOUND_AT) or {}
    recent = found_recently(before, (finding.kind for finding in findings), now=now)
    if recent != before:
        cache.set(FOUND_AT, recent, timeout=3600)
    for alert in open_alerts():
        # A new alert may be another supervisor's, whose cache entry may not be there yet.
        if alert.kind not in recent and abs(now - alert.opened_at) >= CALM:
            _close(alert, now=now)
    return open_alerts()


def found_recently(before: Mapping[str, float], found: Iterable[str], *, now: datetime) -> dict[str, float]:
    """When each kind was last found, without kinds not found for a minute. Pure."""
    at = now.timestamp()
    # The absolute difference, since the clock may have been set back.
    kept = {kind: then for kind, then in before.items() if abs(at - then) < CALM.total_seconds()}
    return {**kept, **{str(kind): at for kind in found}}


def title_of(alert: HealthAlert) -> str:
    return TITLES[Kind(alert.kind)] if alert.kind in set(Kind) else alert.kind


def is_error(alert: HealthAlert) -> bool:
    """Whether the alert's condition stops the work."""
    return alert.kind in ERRORS


def open_alerts() -> list[HealthAlert]:
    return list(HealthAlert.objects.filter(closed_at__isnull=True).order_by("opened_at", "pk"))


def current(now: datetime) -> list[HealthAlert]:
    """The current alerts, for pages: the open ones and, first, one that no workers are running.

    The latter is not stored: the process that stores alerts is the one that is not running.
    """
    absent = _no_workers(now)
    return [absent, *open_alerts()] if absent else open_alerts()


def _no_workers(now: datetime) -> HealthAlert | None:
    busy = (SyncRun.State.IMPORTING, SyncRun.State.RUNNING)
    if workers_are_running(now=now) or not SyncRun.objects.filter(state__in=busy).exists():
        return None
    last_seen = WorkerHeartbeat.objects.filter(role="supervisor").aggregate(at=Max("seen_at"))["at"]
    since = f"since {_clock(last_seen)}" if last_seen else "yet"
    return HealthAlert(
        kind=Kind.NO_WORKERS,
        opened_at=last_seen or now,
        message=f"Syncs are active, but no workers have been seen {since}. Nothing is lost: the syncs continue from "
        "where they are as soon as workers run. Start them with `manage.py run_workers`.",
    )


def _open(wrong: Finding, *, now: datetime) -> None:
    alert, is_new = HealthAlert.objects.get_or_create(
        kind=wrong.kind, closed_at=None, defaults={"message": wrong.message, "opened_at": now}
    )
    if is_new:
        level = logging.ERROR if is_error(alert) else logging.WARNING
        logger.log(level, "alert %s opened: %s", alert.kind, alert.message)
        _mail(title_of(alert), alert.message)


def _close(alert: HealthAlert, *, now: datetime) -> None:
    # Another supervisor may have closed it first.
    if HealthAlert.objects.filter(pk=alert.pk, closed_at__isnull=True).update(closed_at=now):
        logger.info("alert %s closed", alert.kind)


def _mail(subject: str, message: str) -> None:
    """Mail the administrators. An unavailable mail server must not end the supervisor."""
    if not settings.ADMINS:
        return
    try:
        mail_admins(subject, message)
    except OSError:  # smtplib's errors are of this kind
        logger.exception("the alert could not be mailed")


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M} UTC"
