"""The engine for the admin: gate, jobs, minutes and workers, shaped for the page. Not for users' pages."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from collections_app.discogs.gate import GateStatus, configured_gate
from pricing.models import PriceJob, WorkerHeartbeat
from pricing.monitoring import metrics
from pricing.pages.linechart import LineChart, line_chart
from pricing.precision.calibration import Calibrated, calibrated

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
class EngineMinute(metrics.Minute):
    """What happened in one minute: its requests, and the jobs that ended in it."""

    finished: int = 0

    @property
    def is_quiet(self) -> bool:
        return not (self.requests or self.finished)


@dataclass(frozen=True)
class WorkerNow:
    heartbeat: WorkerHeartbeat
    is_recently_seen: bool
    silent_seconds: float
    age_seconds: float


@dataclass(frozen=True)
class Engine:
    """Everything the engine page shows, read at `now`. Minutes are whole ones, oldest first."""

    now: datetime
    hours: int
    gate: GateNow
    queue_rows: int
    live: tuple[StateCount, ...]
    ended: tuple[StateCount, ...]
    success_percent: float | None  # of the jobs that ended in a day
    minutes: tuple[EngineMinute, ...]
    workers: tuple[WorkerNow, ...]
    calibrated: Calibrated  # of 90 days

    @property
    def live_jobs(self) -> int:
        return sum(count.number for count in self.live)

    @property
    def ended_jobs(self) -> int:
        return sum(count.number for count in self.ended)

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
    def busy_minutes(self) -> list[EngineMinute]:
        """The minutes in which something happened, newest first."""
        return [minute for minute in reversed(self.minutes) if not minute.is_quiet]


def engine_now(*, now: datetime, hours: int = HOURS[0]) -> Engine:
    """The engine's state and its last hours: nine queries, and the database's clock on PostgreSQL."""
    ended = metrics.ended_jobs_by_state(now=now, within=DAY)
    return Engine(
        now=now,
        hours=hours,
        gate=_gate_now(),
        queue_rows=metrics.queued_rows(),
        live=_counts(PriceJob.LIVE, metrics.live_jobs_by_state()),
        ended=_counts(ENDED, ended),
        success_percent=metrics.success_percent(ended),
        minutes=_minutes(now=now, hours=hours),
        workers=_workers(now),
        calibrated=calibrated(now=now),
    )


def _gate_now() -> GateNow:
    gate = configured_gate()
    row = gate.row()
    return GateNow(
        egress=row.egress,
        status=gate.status(row),  # first: it brings the row up to date
        breaker=row.breaker,
        breaker_label=row.get_breaker_display(),
        faults_in_a_row=row.faults_in_a_row,
        refusals=row.refusals,
        requests=row.requests,
    )


def _counts(states: Sequence[PriceJob.State], numbers: Counter[str]) -> tuple[StateCount, ...]:
    """A number for each state, zero included."""
    return tuple(StateCount(state.value, str(state.label), numbers[state]) for state in states)


def _minutes(*, now: datetime, hours: int) -> tuple[EngineMinute, ...]:
    """The whole minutes of the last hours, summed over all egresses; the current minute would look like a drop."""
    end = now.replace(second=0, microsecond=0)
    start = end - timedelta(hours=hours)
    requests = metrics.requests_by_minute(since=start, until=end)
    finished = metrics.finished_by_minute(since=start, until=end)
    moments = (start + MINUTE * step for step in range(hours * 60))
    return tuple(
        EngineMinute(**vars(requests.get(at) or metrics.Minute(at)), finished=finished.get(at, 0))
        for at in moments
    )


def _workers(now: datetime) -> tuple[WorkerNow, ...]:
    """Supervisors first, then workers, by host and age."""
    heartbeats = WorkerHeartbeat.objects.order_by("role", "host", "started_at", "pid")
    return tuple(
        WorkerNow(
            heartbeat=row,
            is_recently_seen=metrics.is_recently_seen(row, now=now),
            silent_seconds=max(0.0, (now - row.seen_at).total_seconds()),
            age_seconds=(row.seen_at - row.started_at).total_seconds(),
        )
        for row in heartbeats
    )
