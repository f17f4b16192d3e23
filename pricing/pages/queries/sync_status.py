"""What a sync does now, as one sentence: the facts for `sync.status_line`, read from rows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils import timezone

from collections_app.discogs import gate
from collections_app.importing import unread
from collections_app.models import ImportPass
from pricing.models import PriceJob, SyncRun
from pricing.money.display import current
from pricing.monitoring.metrics import running_supervisors
from pricing.sync.progress import Progress, progress_now
from pricing.sync.status_line import Facts, StatusLine, status_line


@dataclass(frozen=True, slots=True)
class Live:
    """A run's progress and the sentence about it."""

    progress: Progress
    line: StatusLine


def live_for(user_id: int, *, connection_state: str, now: datetime) -> Live | None:
    """The user's active run; one query when there is none, otherwise seven."""
    progress = progress_now(user_id, now=now)
    return live_of(progress, connection_state=connection_state, now=now) if progress else None


def live_of(progress: Progress, *, connection_state: str, now: datetime) -> Live:
    """The same for a run whose progress is known: three queries while it is active.

    connection_state: of its user's connection; "" without one.
    """
    facts = {**_run_facts(progress, now=now), **_import_facts(progress.import_pass)}
    if progress.run.is_active:
        facts |= _engine_facts(progress, now=now)
    return Live(progress, status_line(Facts(**facts, connection=connection_state, locale=current().locale)))


def _run_facts(progress: Progress, *, now: datetime) -> dict[str, Any]:
    retry_in = _retry_in(progress, now=now)
    seconds_left = max(progress.seconds_left or 0.0, retry_in)
    ends_at = timezone.localtime(now + timedelta(seconds=seconds_left))
    same = ("seconds", "total", "done", "failed", "cancelled", "remaining", "waiting", "at_work")
    return {
        **{name: getattr(progress, name) for name in same},
        "state": progress.run.state,
        "seconds_left": seconds_left,
        "ends_at": f"{ends_at:%H:%M}",
        "retry_in": retry_in,
    }


def _retry_in(progress: Progress, *, now: datetime) -> float:
    """Seconds until the first waiting release is due; a time that no wait can reach was written by a wrong clock."""
    wait = progress.next_try_at - now if progress.next_try_at else timedelta(0)
    return wait.total_seconds() if timedelta(0) < wait <= gate.longest_wait() else 0.0


def _import_facts(import_pass: ImportPass | None) -> dict[str, Any]:
    if import_pass is None:
        return {}
    of_wants = import_pass.stage == ImportPass.Stage.WANTS
    return {
        "stage": import_pass.stage,
        "is_read": import_pass.state == ImportPass.State.COMPLETE,
        "read": import_pass.wants_seen if of_wants else import_pass.instances_seen,
        "expected": import_pass.wants_expected if of_wants else import_pass.instances_expected,
        "unread": unread.number_of(import_pass, unread.What.COPY),
        "import_error": import_pass.error,
    }


def _others_ahead(run: SyncRun) -> int:
    """The jobs at work that this run does not wait for.

    One query: its own jobs change state between two, and would be counted as those of others.
    """
    return PriceJob.objects.working().exclude(Exists(run.items.filter(job=OuterRef("pk")))).count()


def _engine_facts(progress: Progress, *, now: datetime) -> dict[str, Any]:
    status = gate.status()
    return {
        "pause_seconds": status.paused_seconds if status.reason else 0.0,
        "is_outage": status.reason == "breaker" or status.is_probing,
        "is_probing": status.is_probing,
        "workers_run": running_supervisors(now=now) > 0,
        "others_ahead": _others_ahead(progress.run),
    }
