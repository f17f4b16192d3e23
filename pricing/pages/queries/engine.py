"""The engine as the admin sees it: gate, jobs, minutes, workers. Not for users' pages."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Sum
from django.db.models.functions import TruncMinute
from django_q.models import OrmQ

from collections_app.discogs import gate
from collections_app.discogs.gate import GateStatus
from collections_app.models import ApiGate, ApiMinute
from pricing.models import PriceJob, WorkerHeartbeat
from pricing.monitoring.heartbeat import SILENT_AFTER
from pricing.pages.linechart import LineChart, line_chart

HOURS = (3, 12, 24)  # the periods offered
MINUTE = timedelta(minutes=1)
DAY = timedelta(hours=24)
ENDED = (*PriceJob.KNOWN, PriceJob.State.DEAD, PriceJob.State.CANCELLED)


@dataclass(frozen=True)
class StateCount:
    state: str
    label: str
    number: int


@dataclass(frozen=True)
class GateNow:
    """The rate gate of this host. `requests`: since it was created."""

    egress: str
    status: GateStatus
    breaker: str
    breaker_label: str
    faults_in_a_row: int
    refusals: int
    requests: int


@dataclass(frozen=True)
class Minute:
    """What happened in one minute. Response times are None when no answer came."""

    at: datetime
    requests: int = 0
    faults: int = 0
    refusals: int = 0
    finished: int = 0
    average_ms: float | None = None
    max_ms: float | None = None

    @property
    def is_quiet(self) -> bool:
        return not (self.requests or self.finished)


@dataclass(frozen=True)
class WorkerNow:
    heartbeat: WorkerHeartbeat
    is_alive: bool
    silent_seconds: float
    age_seconds: float
    megabytes: float
    error_percent: float | None


@dataclass(frozen=True)
class Engine:
    """Everything the engine page shows, read at `now`. Minutes are whole ones, oldest first."""

    now: datetime
    hours: int
    gate: GateNow
    queue_rows: int
    live: tuple[StateCount, ...]
    ended: tuple[StateCount, ...]
    minutes: tuple[Minute, ...]
    workers: tuple[WorkerNow, ...]

    @property
    def live_jobs(self) -> int:
        return sum(count.number for count in self.live)

    @property
    def ended_jobs(self) -> int:
        return sum(count.number for count in self.ended)

    @property
    def success_percent(self) -> float | None:
        """Of the jobs that ended in a day, cancelled ones apart; None when there were none."""
        numbers = {count.state: count.number for count in self.ended}
        known = sum(numbers[state] for state in PriceJob.KNOWN)
        tried = known + numbers[PriceJob.State.DEAD]
        return 100 * known / tried if tried else None

    @property
    def throughput(self) -> LineChart:
        return line_chart(
            {
                "requests": [minute.requests for minute in self.minutes],
                "finished": [minute.finished for minute in self.minutes],
            }
        )

    @property
    def response_time(self) -> LineChart:
        return line_chart(
            {
                "slowest": [minute.max_ms for minute in self.minutes],
                "average": [minute.average_ms for minute in self.minutes],
            }
        )

    @property
    def busy_minutes(self) -> list[Minute]:
        """The minutes in which something happened, newest first."""
        return [minute for minute in reversed(self.minutes) if not minute.is_quiet]


def engine_now(*, now: datetime, hours: int = HOURS[0]) -> Engine:
    """The engine's state and its last hours: eight queries."""
    jobs = PriceJob.objects.order_by()
    return Engine(
        now=now,
        hours=hours,
        gate=_gate_now(),
        queue_rows=OrmQ.objects.count(),
        live=_counts(PriceJob.LIVE, jobs.live().values_list("state").annotate(n=Count("pk"))),
        ended=_counts(
            ENDED, jobs.filter(finished_at__gt=now - DAY).values_list("state").annotate(n=Count("pk"))
        ),
        minutes=_minutes(now=now, hours=hours),
        workers=_workers(now),
    )


def _gate_now() -> GateNow:
    egress = settings.DISCOGS_EGRESS
    row = ApiGate.objects.filter(egress=egress).first() or ApiGate(egress=egress)
    return GateNow(
        egress=egress,
        status=gate.status(),
        breaker=row.breaker,
        breaker_label=row.get_breaker_display(),
        faults_in_a_row=row.faults_in_a_row,
        refusals=row.refusals,
        requests=row.requests,
    )


def _counts(states: Sequence[PriceJob.State], rows: Iterable[Any]) -> tuple[StateCount, ...]:
    """A number for each state, zero included."""
    numbers = Counter(dict(rows))
    return tuple(StateCount(state.value, str(state.label), numbers[state.value]) for state in states)


def _minutes(*, now: datetime, hours: int) -> tuple[Minute, ...]:
    """The whole minutes of the last hours, summed over all egresses; the current minute would look like a drop."""
    end = now.replace(second=0, microsecond=0)
    start = end - timedelta(hours=hours)
    asked = {
        row["minute"]: row
        for row in ApiMinute.objects.filter(minute__gte=start, minute__lt=end)
        .values("minute")
        .annotate(
            requests_sum=Sum("requests"),
            faults_sum=Sum("faults"),
            refusals_sum=Sum("refusals"),
            ms_sum=Sum("latency_ms_sum"),
            ms_max=Max("latency_ms_max"),
        )
        .order_by()
    }
    finished = _finished_by_minute(start, end)
    moments = (start + MINUTE * step for step in range(hours * 60))
    return tuple(_minute(at, asked.get(at), finished.get(at, 0)) for at in moments)


def _finished_by_minute(start: datetime, end: datetime) -> dict[datetime, int]:
    jobs = PriceJob.objects.filter(finished_at__gte=start, finished_at__lt=end)
    ended = jobs.exclude(state=PriceJob.State.CANCELLED).annotate(
        minute=TruncMinute("finished_at", tzinfo=UTC)
    )
    return dict(ended.order_by().values_list("minute").annotate(n=Count("pk")))


def _minute(at: datetime, row: Mapping[str, Any] | None, finished: int) -> Minute:
    if row is None:
        return Minute(at, finished=finished)
    # Times are recorded for proper answers only, not for faults or refusals.
    answers = row["requests_sum"] - row["faults_sum"] - row["refusals_sum"]
    return Minute(
        at,
        requests=row["requests_sum"],
        faults=row["faults_sum"],
        refusals=row["refusals_sum"],
        finished=finished,
        average_ms=row["ms_sum"] / answers if answers > 0 else None,
        max_ms=row["ms_max"] if answers > 0 else None,
    )


def _workers(now: datetime) -> tuple[WorkerNow, ...]:
    """Supervisors first, then workers, by host and age."""
    beats = WorkerHeartbeat.objects.order_by("role", "host", "started_at", "pid")
    return tuple(
        WorkerNow(
            heartbeat=beat,
            is_alive=abs(now - beat.seen_at) <= SILENT_AFTER,
            silent_seconds=max(0.0, (now - beat.seen_at).total_seconds()),
            age_seconds=(beat.seen_at - beat.started_at).total_seconds(),
            megabytes=beat.rss_bytes / 1_000_000,
            error_percent=100 * beat.errors / beat.jobs if beat.jobs else None,
        )
        for beat in beats
    )
