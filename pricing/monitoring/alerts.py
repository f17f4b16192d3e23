"""Alerts about the engine: measured, opened, mailed and closed.

An alert opens once, however many supervisors detect it, and closes when its condition has been false for a minute.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.core.cache import cache
from django.core.mail import mail_admins

from collections_app import schema
from collections_app.models import ApiGate
from pricing.models import HealthAlert
from pricing.monitoring import metrics
from pricing.monitoring.alert_rules import BY_KIND, Finding, HeavyWorker, Metrics, Severity, decide

logger = logging.getLogger(__name__)

SAMPLE = 50  # jobs
RECENT = timedelta(minutes=15)
SEEN_WITHIN = timedelta(seconds=60)
CALM = timedelta(seconds=60)
FOUND_AT = "health-alerts-wrong-at"  # cache key: {kind: when it was last found, in epoch seconds}


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
    kept = []
    for alert in open_alerts():
        # A new alert may be another supervisor's, whose cache entry may not be there yet.
        if alert.kind in recent or abs(now - alert.opened_at) < CALM:
            kept.append(alert)
        else:
            _close(alert, now=now)
    return kept


def measure(*, now: datetime, still_for: timedelta | None = None) -> Metrics:
    """Measure what the supervisor's alerts need, with the gate that this host uses: about eight small queries."""
    gate = metrics.gate_row(now=now)
    ends = metrics.recent_ends(now=now, within=RECENT, limit=SAMPLE)
    return Metrics(
        finished=len(ends),
        failed=sum(failed for _, failed in ends),
        idle_since=metrics.idle_since(gate, ends[0][0] if ends else None, now=now),
        breaker_open_since=metrics.outage_began_at(gate, now=now),
        refusals=metrics.refusals_in_a_row(gate, now=now),
        heavy=_heavy_workers(now),
        still_for=still_for,
        shut_seconds=max(0.0, (metrics.shut_until(gate) - now).total_seconds()),
        is_breaker_closed=gate.breaker == ApiGate.Breaker.CLOSED,
        mismatch=schema.mismatch(),
    )


def _heavy_workers(now: datetime) -> tuple[HeavyWorker, ...]:
    """Workers that use more memory than their limit; django-q2 counts it in units of 1024 bytes."""
    limit = 1024 * int(cast(Mapping[str, Any], settings.Q_CLUSTER).get("max_rss") or 0)
    if not limit:
        return ()
    workers = metrics.workers_above(limit, now=now, within=SEEN_WITHIN)
    return tuple(HeavyWorker(str(worker), worker.rss_bytes, limit) for worker in workers)


def found_recently(before: Mapping[str, float], found: Iterable[str], *, now: datetime) -> dict[str, float]:
    """When each kind was last found, without kinds not found for a minute. Pure."""
    at = now.timestamp()
    # The absolute difference, since the clock may have been set back.
    kept = {kind: then for kind, then in before.items() if abs(at - then) < CALM.total_seconds()}
    return {**kept, **dict.fromkeys(found, at)}


def title_of(alert: HealthAlert) -> str:
    return BY_KIND[alert.kind].title if alert.kind in BY_KIND else alert.kind


def is_error(alert: HealthAlert) -> bool:
    """Whether the alert's condition stops the work."""
    return alert.kind in BY_KIND and BY_KIND[alert.kind].severity == Severity.ERROR


def open_alerts() -> list[HealthAlert]:
    return list(HealthAlert.objects.filter(closed_at__isnull=True).order_by("opened_at", "pk"))


def current(now: datetime) -> list[HealthAlert]:
    """The current alerts, for pages: the open ones and, first, one that no workers are running.

    The latter is not stored: the process that stores alerts is the one that is not running.
    """
    if metrics.running_supervisors(now=now) or not metrics.syncs_are_active():
        return open_alerts()
    seen_at = metrics.supervisor_last_seen_at()
    findings = decide(Metrics(workers_missing=True, supervisor_seen_at=seen_at), now=now)
    missing = [
        HealthAlert(kind=finding.kind, message=finding.message, opened_at=seen_at or now)
        for finding in findings
    ]
    return [*missing, *open_alerts()]


def _open(finding: Finding, *, now: datetime) -> None:
    alert, is_new = HealthAlert.objects.get_or_create(
        kind=finding.kind, closed_at=None, defaults={"message": finding.message, "opened_at": now}
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
