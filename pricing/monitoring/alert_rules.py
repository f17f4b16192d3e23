"""The table of alerts: for each kind its title, its severity, and the check that finds it. Pure.

Each message says what happened, what was kept, what to do next.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MAX_FAILED = 0.2  # share of the recent jobs
MIN_SAMPLE = 10  # jobs: a failure rate of two jobs means little
STALLED_AFTER = timedelta(seconds=60)
STILL_AFTER = timedelta(minutes=5)
OUTAGE_AFTER = timedelta(minutes=5)
MAX_REFUSALS = 3  # in a row


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"  # work continues


@dataclass(frozen=True, slots=True)
class HeavyWorker:
    """A worker that uses more memory than its limit."""

    name: str
    rss_bytes: int
    limit_bytes: int


@dataclass(frozen=True, slots=True)
class Metrics:
    """The figures at one moment that the checks need; the defaults are those of an engine without work.

    finished: jobs that ended recently, at most a sample; failed: those of them that failed or will be tried again.
    idle_since: since when work that could proceed has made no progress; None if none waits or none may be sent.
    still_for: how long no work has ended although some waits, by a monotonic clock; None if that is not measured.
    breaker_open_since: since when Discogs has not answered; None while the breaker is closed.
    shut_seconds: until the gate opens; 0 if it is open. is_breaker_closed: otherwise it is open or probing.
    mismatch: how the database schema differs from this version, and what to do.
    workers_missing: whether syncs are active and no workers run; supervisor_seen_at: when the last ones ran.
    """

    finished: int = 0
    failed: int = 0
    idle_since: datetime | None = None
    breaker_open_since: datetime | None = None
    refusals: int = 0
    heavy: tuple[HeavyWorker, ...] = ()
    still_for: timedelta | None = None
    shut_seconds: float = 0.0
    is_breaker_closed: bool = True
    mismatch: str = ""
    workers_missing: bool = False
    supervisor_seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AlertRule:
    """A kind of alert. `check` returns the message, or nothing if all is well."""

    kind: str
    title: str
    severity: Severity
    check: Callable[[Metrics, datetime], str | None]


@dataclass(frozen=True, slots=True)
class Finding:
    kind: str
    message: str


def decide(metrics: Metrics, *, now: datetime) -> list[Finding]:
    """The findings that follow from these metrics. Pure."""
    messages = ((rule, rule.check(metrics, now)) for rule in RULES)
    findings = [Finding(rule.kind, message) for rule, message in messages if message]
    return findings[:1] if metrics.mismatch else findings  # every other problem follows from it


def _schema(metrics: Metrics, now: datetime) -> str | None:
    return metrics.mismatch


def _error_rate(metrics: Metrics, now: datetime) -> str | None:
    if metrics.finished < MIN_SAMPLE or metrics.failed <= MAX_FAILED * metrics.finished:
        return None
    return (
        f"{metrics.failed} of the last {metrics.finished} price jobs failed. Stored prices stay as they are, and "
        "failed releases can be retried from their sync. Look at the price jobs by kind of error."
    )


def _stall(metrics: Metrics, now: datetime) -> str | None:
    return _idle(metrics, now) or _still(metrics, now)


def _idle(metrics: Metrics, now: datetime) -> str | None:
    if metrics.idle_since is None or now - metrics.idle_since < STALLED_AFTER:
        return None
    if metrics.still_for is not None and metrics.still_for < STALLED_AFTER:
        return None  # the clock was set forward, so the time only seems that long
    return (
        "Jobs are waiting and requests to Discogs are allowed, but no job has started or ended since "
        f"{_clock(metrics.idle_since)}. Nothing is lost: the jobs stay in their table. Stuck workers are replaced "
        "automatically; if this lasts, restart run_workers and check its log."
    )


def _still(metrics: Metrics, now: datetime) -> str | None:
    """Detect a standstill for any reason, trusting no stored time. An outage has its own message."""
    if metrics.still_for is None or metrics.still_for < STILL_AFTER or _outage(metrics, now):
        return None
    return (
        f"Work is waiting, but none has ended for {metrics.still_for // timedelta(minutes=1)} minutes: "
        f"{_reason(metrics)}. Nothing is lost: jobs and imports stay in their tables and continue automatically. If "
        "this lasts, check the log of run_workers and the clock of its machine."
    )


def _reason(metrics: Metrics) -> str:
    """Why nothing is sent now, as far as the gate knows."""
    if not metrics.is_breaker_closed:
        return f"Discogs does not answer; the next attempt is in {metrics.shut_seconds:.0f} seconds"
    if metrics.shut_seconds:
        return f"Discogs has asked this site to wait (429) for another {metrics.shut_seconds:.0f} seconds"
    return "requests are allowed, so the workers take no jobs or their requests have no result"


def _no_workers(metrics: Metrics, now: datetime) -> str | None:
    if not metrics.workers_missing:
        return None
    since = f"since {_clock(metrics.supervisor_seen_at)}" if metrics.supervisor_seen_at else "yet"
    return (
        f"Syncs are active, but no workers have been seen {since}. Nothing is lost: the syncs continue from "
        "where they are as soon as workers run. Start them with `manage.py run_workers`."
    )


def _outage(metrics: Metrics, now: datetime) -> str | None:
    since = metrics.breaker_open_since
    if since is None or now - since < OUTAGE_AFTER:
        return None
    return (
        f"Discogs has not answered properly since {_clock(since)}. Only a probe is sent now and then; jobs wait "
        "without losing an attempt and continue automatically. If Discogs works in a browser, check the network of "
        "the machine that runs the workers."
    )


def _refusals(metrics: Metrics, now: datetime) -> str | None:
    if metrics.refusals < MAX_REFUSALS:
        return None
    return (
        f"Discogs refused {metrics.refusals} requests in a row (429), so all requests pause, longer each time. No job "
        "loses an attempt. Another program uses Discogs from this address, or hosts behind it have different names "
        "in DISCOGS_EGRESS: give them one name, or lower DISCOGS_RATE_LIMIT."
    )


def _memory(metrics: Metrics, now: datetime) -> str | None:
    if not metrics.heavy:
        return None
    worker = metrics.heavy[0]
    return (
        f"Worker {worker.name} holds {worker.rss_bytes / 1e6:.0f} MB, more than its limit of "
        f"{worker.limit_bytes / 1e6:.0f} MB. It is replaced after its task, so nothing is lost. If this happens again "
        "every few minutes, lower PRICE_WORKERS_MAX or give the machine more memory."
    )


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M} UTC"


# The schema's rule comes first: `decide` reports nothing else with it.
RULES = (
    AlertRule("schema", "The database is of another version", Severity.ERROR, _schema),
    AlertRule("error_rate", "Many price jobs fail", Severity.WARNING, _error_rate),
    AlertRule("stall", "Nothing moves", Severity.ERROR, _stall),
    AlertRule("no_workers", "No workers run", Severity.ERROR, _no_workers),
    AlertRule("outage", "Discogs does not answer", Severity.ERROR, _outage),
    AlertRule("refusals", "Discogs refuses requests", Severity.WARNING, _refusals),
    AlertRule("memory", "A worker holds too much memory", Severity.WARNING, _memory),
)
BY_KIND = {rule.kind: rule for rule in RULES}
