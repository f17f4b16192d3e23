"""What the supervisor measures before it decides how many workers there should be."""

from datetime import datetime, timedelta

import psutil
from django.conf import settings
from django.db.models import Sum

from collections_app.discogs import gate
from collections_app.models import ApiMinute
from pricing.health import SILENT_AFTER, percentile
from pricing.models import PriceJob, WorkerHeartbeat
from pricing.scaling import Figures

LATELY = timedelta(seconds=15)
SAMPLE = 100  # jobs


def measure(*, now: datetime) -> Figures:
    """The figures of now: six small queries."""
    status = gate.status()
    latencies = _recent_latencies(now)
    return Figures(
        waiting=PriceJob.objects.live().exclude(state=PriceJob.State.WAITING).count(),
        rate_allowed=_rate_of_this_host(now),
        p95_latency=percentile(sorted(latencies), 95) / 1000 if latencies else status.latency_ms / 1000,
        throughput=PriceJob.objects.filter(finished_at__gt=now - LATELY).count() / LATELY.total_seconds(),
        fault_share=_fault_share(now),
        cpu_percent=psutil.cpu_percent(),
        memory_percent=psutil.virtual_memory().percent,
        gate_open=not status.reason,
        worker_rate=settings.PRICE_WORKER_RATE_LIMIT / settings.DISCOGS_RATE_WINDOW,
    )


def _rate_of_this_host(now: datetime) -> float:
    """Requests a second: the limit, shared with the supervisors of other hosts."""
    supervisors = WorkerHeartbeat.objects.filter(role="supervisor", seen_at__gt=now - SILENT_AFTER).count()
    return settings.DISCOGS_RATE_LIMIT / settings.DISCOGS_RATE_WINDOW / max(1, supervisors)


def _recent_latencies(now: datetime) -> list[int]:
    recent = PriceJob.objects.filter(finished_at__gt=now - LATELY, duration_ms__isnull=False)
    return [ms for ms in recent.order_by("-finished_at").values_list("duration_ms", flat=True)[:SAMPLE] if ms]


def _fault_share(now: datetime) -> float:
    minutes = ApiMinute.objects.filter(egress=settings.DISCOGS_EGRESS, minute__gt=now - timedelta(minutes=2))
    sums = minutes.aggregate(faults=Sum("faults"), requests=Sum("requests"))
    return (sums["faults"] or 0) / sums["requests"] if sums["requests"] else 0.0
