"""The load that the supervisor measures before it decides how many workers there should be."""

from datetime import datetime, timedelta

import psutil
from django.conf import settings
from django.db.models import QuerySet, Sum

from collections_app.discogs import gate
from collections_app.models import ApiMinute
from collections_app.times import is_recent
from pricing.models import PriceJob
from pricing.monitoring.heartbeat import percentile, running_supervisors
from pricing.workers.scaling import Figures

RECENT = timedelta(seconds=15)
SAMPLE = 100  # jobs


def measure(*, now: datetime) -> Figures:
    """Measure the current load: six small queries."""
    status = gate.status()
    latencies = _recent_latencies(now)
    return Figures(
        waiting=PriceJob.objects.live().exclude(state=PriceJob.State.WAITING).count(),
        rate_allowed=_rate_of_this_host(now),
        p95_latency=percentile(sorted(latencies), 95) / 1000 if latencies else status.latency_ms / 1000,
        throughput=_recently_ended(now).count() / RECENT.total_seconds(),
        fault_share=_fault_share(now),
        cpu_percent=psutil.cpu_percent(),
        memory_percent=psutil.virtual_memory().percent,
        gate_open=not status.reason,
        worker_rate=settings.PRICE_WORKER_RATE_LIMIT / settings.DISCOGS_RATE_WINDOW,
    )


def _rate_of_this_host(now: datetime) -> float:
    """Requests a second: the limit divided by the number of running supervisors."""
    supervisors = running_supervisors(now=now)
    return settings.DISCOGS_RATE_LIMIT / settings.DISCOGS_RATE_WINDOW / max(1, supervisors)


def _recently_ended(now: datetime) -> "QuerySet[PriceJob]":
    return PriceJob.objects.filter(is_recent("finished_at", now=now, within=RECENT))


def _recent_latencies(now: datetime) -> list[int]:
    recent = _recently_ended(now).filter(duration_ms__isnull=False)
    return [ms for ms in recent.order_by("-finished_at").values_list("duration_ms", flat=True)[:SAMPLE] if ms]


def _fault_share(now: datetime) -> float:
    recent = is_recent("minute", now=now, within=timedelta(minutes=2))
    minutes = ApiMinute.objects.filter(recent, egress=settings.DISCOGS_EGRESS)
    sums = minutes.aggregate(faults=Sum("faults"), requests=Sum("requests"))
    return (sums["faults"] or 0) / sums["requests"] if sums["requests"] else 0.0
