"""What is wrong with the engine, in sentences: what happened, what was kept, what to do.

An alert opens once, however many supervisors notice, and closes when its condition has been false for a minute.
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
MIN_SAMPLE = 10  # jobs: one failure of two says little
STALLED_AFTER = timedelta(seconds=60)
STILL_AFTER = timedelta(minutes=5)
OUTAGE_AFTER = timedelta(minutes=5)
MAX_REFUSALS = 3  # in a row
CALM = timedelta(seconds=60)
REMEMBERED = "health-alerts-wrong-at"  # cache: {kind: when it was last wrong, in epoch seconds}


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
# The others are warnings: work goes on.
ERRORS = {Kind.STALL, Kind.NO_WORKERS, Kind.OUTAGE, Kind.SCHEMA}


@dataclass(frozen=True, slots=True)
class Finding:
    kind: Kind
    message: str


def decide(signs: Metrics, *, now: datetime) -> list[Finding]:
    """What is wrong by these signs. Pure."""
    if signs.mismatch:
        return [Finding(Kind.SCHEMA, signs.mismatch)]  # everything else follows from it
    verdicts = (
        _error_rate(signs),
        _stall(signs, now),
        _still(signs, now),
        _outage(signs, now),
        _refusals(signs),
        _memory(signs),
    )
    return [wrong for wrong in verdicts if wrong]


def _error_rate(signs: Metrics) -> Finding | None:
    if signs.finished < MIN_SAMPLE or signs.failed <= MAX_FAILED * signs.finished:
        return None
    return Finding(
        Kind.ERROR_RATE,
        f"{signs.failed} of the last {signs.finished} price jobs failed. Stored prices stay as they are, and what "
        "has failed can be retried from its sync. Look at the price jobs by kind of error.",
    )


def _stall(signs: Metrics, now: datetime) -> Finding | None:
    if signs.idle_since is None or now - signs.idle_since < STALLED_AFTER:
        return None
    if signs.still_for is not None and signs.still_for < STALLED_AFTER:
        return None  # the clock was set forward: it only looks that long
    return Finding(
        Kind.STALL,
        f"Jobs wait and Discogs may be asked, but none has begun or ended since {_clock(signs.idle_since)}. "
        "Nothing is lost: the jobs stay in their table. Stuck workers are replaced by themselves; if this lasts, "
        "restart run_workers and look at its log.",
    )


def _still(signs: Metrics, now: datetime) -> Finding | None:
    """Whatever the reason: this trusts no stored time. An outage and a stall have a sentence of their own."""
    if signs.still_for is None or signs.still_for < STILL_AFTER or _stall(signs, now) or _outage(signs, now):
        return None
    return Finding(
        Kind.STALL,
        f"Work waits, but none has ended for {signs.still_for // timedelta(minutes=1)} minutes: {signs.held_up_by}. "
        "Nothing is lost: jobs and imports stay in their tables and go on by themselves. If this lasts, look at the "
        "log of run_workers and at the clock of its machine.",
    )


def _outage(signs: Metrics, now: datetime) -> Finding | None:
    since = signs.breaker_open_since
    if since is None or now - since < OUTAGE_AFTER:
        return None
    return Finding(
        Kind.OUTAGE,
        f"Discogs has not answered properly since {_clock(since)}. Only a probe is sent now and then; jobs wait "
        "without losing an attempt and go on by themselves. If Discogs works in a browser, look at the network of "
        "the machine that runs the workers.",
    )


def _refusals(signs: Metrics) -> Finding | None:
    if signs.refusals < MAX_REFUSALS:
        return None
    return Finding(
        Kind.REFUSALS,
        f"Discogs refused {signs.refusals} requests in a row (429), so everything pauses, longer each time. No job "
        "loses an attempt. Someone else uses Discogs from this address, or hosts behind it have different names in "
        "DISCOGS_EGRESS: give them one name, or lower DISCOGS_RATE_LIMIT.",
    )


def _memory(signs: Metrics) -> Finding | None:
    if not signs.heavy:
        return None
    worker = signs.heavy[0]
    return Finding(
        Kind.MEMORY,
        f"Worker {worker.name} holds {worker.rss_bytes / 1e6:.0f} MB, more than its limit of "
        f"{worker.limit_bytes / 1e6:.0f} MB. It is replaced after its task, so nothing is lost. If this comes back "
        "every few minutes, lower PRICE_WORKERS_MAX or give the machine more memory.",
    )


def evaluate(now: datetime, *, still_for: timedelta | None = None) -> list[HealthAlert]:
    """Open and close alerts by how things are now; returns those that are open. For the supervisor.

    still_for: what its Stillness says; None when that is not watched.
    """
    wrong = decide(measure(now=now, still_for=still_for), now=now)
    for verdict in wrong:
        _open(verdict, now=now)
    before = cache.get(REMEMBERED) or {}
    lately = wrong_lately(before, (verdict.kind for verdict in wrong), now=now)
    if lately != before:
        cache.set(REMEMBERED, lately, timeout=3600)
    for alert in open_alerts():
        # One that has just been opened is another supervisor's, whose note may not be there yet.
        if alert.kind not in lately and abs(now - alert.opened_at) >= CALM:
            _close(alert, now=now)
    return open_alerts()


def wrong_lately(before: Mapping[str, float], wrong: Iterable[str], *, now: datetime) -> dict[str, float]:
    """When each kind was last wrong, without those that have been well for long enough. Pure."""
    at = now.timestamp()
    # Also when it lies ahead: the clock may have been set back.
    kept = {kind: then for kind, then in before.items() if abs(at - then) < CALM.total_seconds()}
    return {**kept, **{str(kind): at for kind in wrong}}


def title_of(alert: HealthAlert) -> str:
    return TITLES[Kind(alert.kind)] if alert.kind in set(Kind) else alert.kind


def is_error(alert: HealthAlert) -> bool:
    """Whether it stops the work."""
    return alert.kind in ERRORS


def open_alerts() -> list[HealthAlert]:
    return list(HealthAlert.objects.filter(closed_at__isnull=True).order_by("opened_at", "pk"))


def current(now: datetime) -> list[HealthAlert]:
    """What is wrong now, for pages: the open alerts, and what only a page can see, that no workers run.

    That one is not stored: whoever stores alerts is not there.
    """
    absent = _no_workers(now)
    return [absent, *open_alerts()] if absent else open_alerts()


def _no_workers(now: datetime) -> HealthAlert | None:
    busy = (SyncRun.State.IMPORTING, SyncRun.State.RUNNING)
    if workers_are_running(now=now) or not SyncRun.objects.filter(state__in=busy).exists():
        return None
    heard = WorkerHeartbeat.objects.filter(role="supervisor").aggregate(at=Max("seen_at"))["at"]
    since = f"since {_clock(heard)}" if heard else "yet"
    return HealthAlert(
        kind=Kind.NO_WORKERS,
        opened_at=heard or now,
        message=f"Syncs are under way, but no workers have been heard of {since}. Nothing is lost: the syncs go on "
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
    # Another supervisor may have been first.
    if HealthAlert.objects.filter(pk=alert.pk, closed_at__isnull=True).update(closed_at=now):
        logger.info("alert %s closed", alert.kind)


def _mail(subject: str, message: str) -> None:
    """Tell the administrators. A mail server that is away must not end the supervisor."""
    if not settings.ADMINS:
        return
    try:
        mail_admins(subject, message)
    except OSError:  # smtplib's errors are of this kind
        logger.exception("the alert could not be mailed")


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M} UTC"
