"""The metrics that alerts are based on: the state of jobs, gates and workers, read from stored rows."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.db.models import F, Max, Min, Q

from collections_app import schema
from collections_app.discogs.clock import without_implausible_times
from collections_app.discogs.errors import Kind
from collections_app.discogs.gate import configured_gate
from collections_app.models import ApiGate, ApiMinute, ImportPass
from collections_app.times import is_recent
from pricing.models import PriceJob, SyncRun, WorkerHeartbeat
from pricing.monitoring.alert_rules import HeavyWorker, Metrics

SAMPLE = 50  # jobs
RECENT = timedelta(minutes=15)
# The breaker probes, and pauses end, within this time, so a gate that was last shut before it is no longer in use.
GATE_IN_USE = timedelta(minutes=20)
SEEN_WITHIN = timedelta(seconds=60)
NOT_A_FAILURE = (Kind.RATE_LIMIT, Kind.WAITING)  # kinds of error that say nothing about a job


class Stillness:
    """How long no work has ended although some waits. It trusts no stored time, only whether something changes."""

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._seen: object = None
        self._since = steady()

    def look(self) -> timedelta:
        seen = _work_and_progress()
        if seen is None or seen != self._seen:
            self._seen, self._since = seen, self._steady()
        return timedelta(seconds=self._steady() - self._since)


def _work_and_progress() -> object:
    """A value that changes whenever a job ends or an import advances; None if there is no work."""
    passes = ImportPass.objects.running()
    under_way = PriceJob.objects.filter(state__in=(PriceJob.State.QUEUED, PriceJob.State.RUNNING))
    held_up = Q(state=PriceJob.State.WAITING, error_kind__in=NOT_A_FAILURE) | Q(state=PriceJob.State.DUE)
    wanted = PriceJob.objects.filter(held_up, items__run__state=SyncRun.State.RUNNING)
    if not (under_way.exists() or wanted.exists() or passes.exists()):
        return None
    ended = PriceJob.objects.filter(finished_at__isnull=False).order_by("-finished_at")
    return (
        PriceJob.objects.live().count(),
        ended.values_list("pk", "finished_at").first(),
        list(passes.order_by("pk").values_list("pk", "stage", "next_page")),
    )


def measure(*, now: datetime, still_for: timedelta | None = None) -> Metrics:
    """Measure the current metrics, with the gate that this host uses: about eight small queries."""
    egress = settings.DISCOGS_EGRESS
    gate = ApiGate.objects.filter(egress=egress).first() or ApiGate(egress=egress)
    without_implausible_times(gate, now.timestamp(), configured_gate().pace)
    ends = _recent_ends(now)
    return Metrics(
        finished=len(ends),
        failed=sum(failed for _, failed in ends),
        idle_since=_idle_since(gate, ends[0][0] if ends else None, now=now),
        breaker_open_since=_open_since(gate, now=now),
        refusals=gate.refusals if _in_use(gate.paused_until, now) else 0,
        heavy=_heavy_workers(now),
        still_for=still_for,
        shut_seconds=max(0.0, (_shut_until(gate) - now).total_seconds()),
        is_breaker_closed=gate.breaker == ApiGate.Breaker.CLOSED,
        mismatch=schema.mismatch(),
    )


def _recent_ends(now: datetime) -> list[tuple[datetime, bool]]:
    """When the last jobs ended or failed an attempt, newest first, and whether they failed."""
    finished = PriceJob.objects.filter(is_recent("finished_at", now=now, within=RECENT)).exclude(
        state=PriceJob.State.CANCELLED
    )
    put_off = PriceJob.objects.filter(
        is_recent("started_at", now=now, within=RECENT), state=PriceJob.State.WAITING
    )
    failing = put_off.exclude(error_kind__in=(*NOT_A_FAILURE, ""))
    ends = [
        (at, state == PriceJob.State.DEAD)
        for at, state in finished.order_by("-finished_at").values_list("finished_at", "state")[:SAMPLE]
        if at is not None
    ]
    ends += [
        (at, True)
        for at in failing.order_by("-started_at").values_list("started_at", flat=True)[:SAMPLE]
        if at
    ]
    return sorted(ends, reverse=True)[:SAMPLE]


def _idle_since(gate: ApiGate, ended_at: datetime | None, *, now: datetime) -> datetime | None:
    """The latest of these times: work was queued, the gate opened, a job started, a job ended."""
    waiting_since, shut_until = _waiting_since(), _shut_until(gate)
    if waiting_since is None or shut_until > now:
        return None
    # A job that has ended started before the newest end, so the live jobs are enough.
    began_at = PriceJob.objects.live().aggregate(at=Max("started_at"))["at"]
    return max(at for at in (waiting_since, shut_until, began_at, ended_at) if at)


def _waiting_since() -> datetime | None:
    """Since when the oldest job has waited that is in the queue or that the feeder could queue."""
    queued = PriceJob.objects.filter(state=PriceJob.State.QUEUED)
    due = PriceJob.objects.filter(state=PriceJob.State.DUE, items__run__state=SyncRun.State.RUNNING)
    earliest = (
        queued.aggregate(at=Min("queued_at"))["at"],
        due.order_by("created_at").values_list("created_at", flat=True).first(),
    )
    return min((at for at in earliest if at), default=None)


def _shut_until(gate: ApiGate) -> datetime:
    """The time until which the gate is shut; long ago if it never was."""
    open_until = gate.open_until if gate.breaker != ApiGate.Breaker.CLOSED else 0.0
    return datetime.fromtimestamp(max(gate.paused_until, open_until), tz=UTC)


def _in_use(shut_until: float, now: datetime) -> bool:
    return shut_until > (now - GATE_IN_USE).timestamp()


def _open_since(gate: ApiGate, *, now: datetime) -> datetime | None:
    """When the outage began: the first minute with a fault since the last one with an answer."""
    if gate.breaker == ApiGate.Breaker.CLOSED or not _in_use(gate.open_until, now):
        return None
    minutes = ApiMinute.objects.filter(egress=gate.egress)
    answered = minutes.filter(requests__gt=F("faults") + F("refusals")).aggregate(at=Max("minute"))["at"]
    faulty = minutes.filter(faults__gt=0, **({"minute__gte": answered} if answered else {}))
    began: datetime | None = faulty.aggregate(at=Min("minute"))["at"]
    return began


def _heavy_workers(now: datetime) -> tuple[HeavyWorker, ...]:
    """Workers that use more memory than their limit; django-q2 counts it in units of 1024 bytes."""
    limit = 1024 * int(cast(Mapping[str, Any], settings.Q_CLUSTER).get("max_rss") or 0)
    if not limit:
        return ()
    seen = WorkerHeartbeat.objects.filter(is_recent("seen_at", now=now, within=SEEN_WITHIN), role="worker")
    rows = seen.filter(rss_bytes__gt=limit).order_by("-rss_bytes")
    return tuple(HeavyWorker(str(row), row.rss_bytes, limit) for row in rows)
