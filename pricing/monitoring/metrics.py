"""Every figure about the engine, one function for each, read from stored rows.

The scaler, the alerts, the admin and the commands compose from these functions; windows and limits are arguments.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil

from django.conf import settings
from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import TruncMinute
from django_q.models import OrmQ

from collections_app.discogs.clock import without_implausible_times
from collections_app.discogs.errors import Kind
from collections_app.discogs.gate import configured_gate
from collections_app.discogs.minutes import average_ms
from collections_app.models import ApiGate, ApiMinute, ImportPass
from collections_app.times import MAX_SKEW, is_from_the_future, is_recent
from pricing.models import PriceJob, SyncRun, WorkerHeartbeat

# A process that was last seen longer ago than this is considered dead.
SILENT_AFTER = timedelta(seconds=15)
# The breaker probes, and pauses end, within this time, so a gate that was last shut before it is no longer in use.
GATE_IN_USE = timedelta(minutes=20)
NOT_A_FAILURE = (Kind.RATE_LIMIT, Kind.WAITING)  # kinds of error that say nothing about a job

# Processes


def running_supervisors(*, now: datetime) -> int:
    """The number of supervisors, on all hosts, that were seen within SILENT_AFTER. Without one, no workers run."""
    return _seen("supervisor", now=now, within=SILENT_AFTER).count()


def is_recently_seen(process: WorkerHeartbeat, *, now: datetime) -> bool:
    """Whether a process was seen within SILENT_AFTER: in Python what `running_supervisors` asks of the database.

    An idle worker is silent too.
    """
    return process.seen_at > now - SILENT_AFTER and not is_from_the_future(process.seen_at, now=now)


def supervisor_last_seen_at() -> datetime | None:
    supervisors = WorkerHeartbeat.objects.filter(role="supervisor").order_by("-seen_at")
    return supervisors.values_list("seen_at", flat=True).first()


def workers_above(rss_bytes: int, *, now: datetime, within: timedelta) -> "QuerySet[WorkerHeartbeat]":
    """The workers that use more memory than that, the largest first."""
    return _seen("worker", now=now, within=within).filter(rss_bytes__gt=rss_bytes).order_by("-rss_bytes")


def _seen(role: str, *, now: datetime, within: timedelta) -> "QuerySet[WorkerHeartbeat]":
    return WorkerHeartbeat.objects.filter(is_recent("seen_at", now=now, within=within), role=role)


# Requests and the gate


def rate_of_this_host(*, now: datetime) -> float:
    """Requests a second that this host may send: the limit divided by the number of running supervisors."""
    limit = settings.DISCOGS_RATE_LIMIT / settings.DISCOGS_RATE_WINDOW
    return float(limit / max(1, running_supervisors(now=now)))


def gate_row(*, now: datetime) -> ApiGate:
    """The row of the gate that this host uses, without implausible times; a new one if none is stored."""
    egress = settings.DISCOGS_EGRESS
    gate = ApiGate.objects.filter(egress=egress).first() or ApiGate(egress=egress)
    without_implausible_times(gate, now.timestamp(), configured_gate().pace)
    return gate


def shut_until(gate: ApiGate) -> datetime:
    """The time until which the gate is shut; long ago if it never was."""
    open_until = gate.open_until if gate.breaker != ApiGate.Breaker.CLOSED else 0.0
    return datetime.fromtimestamp(max(gate.paused_until, open_until), tz=UTC)


def refusals_in_a_row(gate: ApiGate, *, now: datetime) -> int:
    """The 429 answers since the last other one; 0 if the gate is no longer in use."""
    return gate.refusals if _in_use(gate.paused_until, now) else 0


def outage_began_at(gate: ApiGate, *, now: datetime) -> datetime | None:
    """The first minute with a fault since the last one with an answer; None while the breaker is closed."""
    if gate.breaker == ApiGate.Breaker.CLOSED or not _in_use(gate.open_until, now):
        return None
    minutes = ApiMinute.objects.filter(egress=gate.egress)
    answered = minutes.filter(requests__gt=F("faults") + F("refusals")).aggregate(at=Max("minute"))["at"]
    faulty = minutes.filter(faults__gt=0, **({"minute__gte": answered} if answered else {}))
    began: datetime | None = faulty.aggregate(at=Min("minute"))["at"]
    return began


def _in_use(shut_until: float, now: datetime) -> bool:
    return shut_until > (now - GATE_IN_USE).timestamp()


@dataclass(frozen=True)
class Minute:
    """The requests of one minute. Response times are None if no proper answer came."""

    at: datetime
    requests: int = 0
    faults: int = 0
    refusals: int = 0
    latency_ms_sum: int = 0
    latency_ms_max: int = 0

    @property
    def average_ms(self) -> float | None:
        return average_ms(
            requests=self.requests,
            faults=self.faults,
            refusals=self.refusals,
            latency_ms_sum=self.latency_ms_sum,
        )

    @property
    def max_ms(self) -> int | None:
        return None if self.average_ms is None else self.latency_ms_max


def requests_by_minute(
    *, since: datetime, until: datetime, egress: str | None = None
) -> dict[datetime, Minute]:
    """The minutes from `since` to before `until` in which there were requests, of one egress or summed over all."""
    minutes = ApiMinute.objects.filter(minute__gte=since, minute__lt=until)
    if egress is not None:
        minutes = minutes.filter(egress=egress)
    # In the order of Minute's fields.
    sums = {f"{name}_of_all": Sum(name) for name in ("requests", "faults", "refusals", "latency_ms_sum")}
    rows = minutes.order_by().values_list("minute").annotate(**sums, max_of_all=Max("latency_ms_max"))
    return {row[0]: Minute(*row) for row in rows}


def fault_share(*, now: datetime, within: timedelta) -> float:
    """The share of this egress's requests that were faults, 0 to 1."""
    recent = requests_by_minute(since=now - within, until=now + MAX_SKEW, egress=settings.DISCOGS_EGRESS)
    requests = sum(minute.requests for minute in recent.values())
    return sum(minute.faults for minute in recent.values()) / requests if requests else 0.0


# Jobs and other work


def queued_rows() -> int:
    return OrmQ.objects.count()


def live_jobs(states: Collection[str] = PriceJob.LIVE) -> int:
    """The number of jobs in these states, from the index alone: by state it would take twice as long."""
    return PriceJob.objects.filter(state__in=states).count()


def live_jobs_by_state() -> Counter[str]:
    return _by_state(PriceJob.objects.live())


def ended_jobs_by_state(*, now: datetime, within: timedelta) -> Counter[str]:
    """The number of jobs that ended within this time, by state."""
    return _by_state(_ended(now=now, within=within))


def _ended(*, now: datetime, within: timedelta) -> "QuerySet[PriceJob]":
    return PriceJob.objects.filter(is_recent("finished_at", now=now, within=within))


def _not_cancelled(jobs: "QuerySet[PriceJob]") -> "QuerySet[PriceJob]":
    return jobs.exclude(state=PriceJob.State.CANCELLED)


def _by_state(jobs: "QuerySet[PriceJob]") -> Counter[str]:
    return Counter(dict(jobs.order_by().values_list("state").annotate(n=Count("pk"))))


def success_percent(ended: Counter[str]) -> float | None:
    """The share of jobs that ended in a known state, in percent, cancelled ones apart; None if there were none."""
    known = sum(ended[state] for state in PriceJob.KNOWN)
    tried = known + ended[PriceJob.State.DEAD]
    return 100 * known / tried if tried else None


def finished_by_minute(*, since: datetime, until: datetime) -> dict[datetime, int]:
    """The number of jobs that ended in each minute, cancelled ones apart."""
    ended = _not_cancelled(PriceJob.objects.filter(finished_at__gte=since, finished_at__lt=until))
    minutes = ended.annotate(minute=TruncMinute("finished_at", tzinfo=UTC))
    return dict(minutes.order_by().values_list("minute").annotate(n=Count("pk")))


def jobs_per_second(*, now: datetime, within: timedelta) -> float:
    """The number of jobs that ended within this time, cancelled ones apart, for each second of it."""
    return _not_cancelled(_ended(now=now, within=within)).count() / within.total_seconds()


def request_p95_ms(*, now: datetime, within: timedelta, limit: int) -> float | None:
    """The time that 95 % of the last requests stayed within, of at most `limit` jobs; None if none ended."""
    ended = _ended(now=now, within=within).filter(duration_ms__isnull=False)
    newest = ended.order_by("-finished_at").values_list("duration_ms", flat=True)[:limit]
    durations = sorted(ms for ms in newest if ms)
    return percentile(durations, 95) if durations else None


def percentile(ascending: Sequence[float], percent: float) -> float:
    """The percentile by nearest rank: the smallest value that `percent` of the values do not exceed; 0 if empty."""
    if not ascending:
        return 0.0
    return ascending[max(1, ceil(len(ascending) * percent / 100)) - 1]


def recent_ends(*, now: datetime, within: timedelta, limit: int) -> list[tuple[datetime, bool]]:
    """When the last jobs ended or failed an attempt, newest first, and whether they failed."""
    finished = _not_cancelled(_ended(now=now, within=within))
    put_off = PriceJob.objects.filter(
        is_recent("started_at", now=now, within=within), state=PriceJob.State.WAITING
    )
    failing = put_off.exclude(error_kind__in=(*NOT_A_FAILURE, ""))
    ends = [
        (at, state == PriceJob.State.DEAD)
        for at, state in finished.order_by("-finished_at").values_list("finished_at", "state")[:limit]
        if at is not None
    ]
    ends += [
        (at, True)
        for at in failing.order_by("-started_at").values_list("started_at", flat=True)[:limit]
        if at
    ]
    return sorted(ends, reverse=True)[:limit]


def idle_since(gate: ApiGate, last_end_at: datetime | None, *, now: datetime) -> datetime | None:
    """Since when work that could proceed has made no progress; None if none waits or none may be sent.

    The latest of these times: work was queued, the gate opened, a job started, a job ended.
    """
    waiting_at, opened_at = waiting_since(), shut_until(gate)
    if waiting_at is None or opened_at > now:
        return None
    # A job that has ended started before the newest end, so the live jobs are enough.
    began_at = PriceJob.objects.live().aggregate(at=Max("started_at"))["at"]
    return max(at for at in (waiting_at, opened_at, began_at, last_end_at) if at)


def waiting_since() -> datetime | None:
    """Since when the oldest job has waited that is in the queue or that the feeder could queue."""
    queued = PriceJob.objects.filter(state=PriceJob.State.QUEUED)
    due = PriceJob.objects.filter(state=PriceJob.State.DUE, items__run__state=SyncRun.State.RUNNING)
    earliest = (
        queued.aggregate(at=Min("queued_at"))["at"],
        due.order_by("created_at").values_list("created_at", flat=True).first(),
    )
    return min((at for at in earliest if at), default=None)


def syncs_are_active() -> bool:
    """Whether a sync needs workers: a paused one does not."""
    return SyncRun.objects.working().exists()


def progress_mark() -> object:
    """A value that changes whenever a job ends or an import advances; None if there is no work."""
    passes = ImportPass.objects.running()
    held_up = Q(state=PriceJob.State.WAITING, error_kind__in=NOT_A_FAILURE) | Q(state=PriceJob.State.DUE)
    wanted = PriceJob.objects.filter(held_up, items__run__state=SyncRun.State.RUNNING)
    if not (PriceJob.objects.working().exists() or wanted.exists() or passes.exists()):
        return None
    ended = PriceJob.objects.filter(finished_at__isnull=False).order_by("-finished_at")
    return (
        live_jobs(),
        ended.values_list("pk", "finished_at").first(),
        list(passes.order_by("pk").values_list("pk", "stage", "next_page")),
    )
