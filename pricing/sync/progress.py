"""The progress of sync runs, derived from rows: the one definition of done, known, failed and cancelled.

Done, or known: the release has a stored answer, or a price that was fresh enough. Failed: its job was given up; it is
not done, since a retry makes it work again. Cancelled: its job ended before it was carried out, so it is neither done
nor part of the success rate. Therefore `done` and `requests` never fall, whatever happens to a run.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Avg, Count, Min, Q, Sum

from collections_app.models import ImportPass
from pricing.models import PriceJob, RunItem, SyncRun


@dataclass(frozen=True)
class Progress:
    """The progress of a sync run. Counts are releases."""

    run: SyncRun
    import_pass: ImportPass | None
    total: int
    reused: int
    recorded: int
    none_for_sale: int
    blocked: int
    gone: int
    not_found: int  # 404 for the first time: the last price stays
    failed: int
    cancelled: int
    waiting: int  # put off until a later time
    at_work: int  # in the queue or with a worker: fetched even if the run is paused or cancelled now
    next_try_at: datetime | None  # of those that wait
    price_requests: int
    import_requests: int  # of the import pass, as far as it belongs to this run
    average_ms: int | None
    seconds: float  # since the run started
    errors: dict[str, int]  # failed releases by kind of error

    @property
    def known(self) -> int:
        return self.reused + self.recorded + self.none_for_sale + self.blocked + self.gone + self.not_found

    @property
    def shut(self) -> int:
        """Releases that cannot be sold on Discogs."""
        return self.blocked + self.gone

    @property
    def done(self) -> int:
        return self.known

    @property
    def tried(self) -> int:
        """Releases whose job was carried out, and those that needed none."""
        return self.known + self.failed

    @property
    def remaining(self) -> int:
        return self.total - self.tried - self.cancelled

    @property
    def requests(self) -> int:
        """All requests to Discogs of this run: for prices, and for reading the collection."""
        return self.price_requests + self.import_requests

    @property
    def success_rate(self) -> float | None:
        """The share of the tried releases that are in a known state, 0 to 1."""
        return self.known / self.tried if self.tried else None

    @property
    def seconds_left(self) -> float | None:
        """Estimated from the remaining releases at the rate limit. None while the collection is being imported."""
        if self.run.state == SyncRun.State.IMPORTING:
            return None
        return self.remaining * settings.DISCOGS_RATE_WINDOW / settings.DISCOGS_RATE_LIMIT


def progress_of(run: SyncRun, *, now: datetime) -> Progress:
    """The progress of a run: three queries, whatever its size."""
    items = RunItem.objects.filter(run=run)
    states = Counter(dict(items.values_list("job__state").annotate(n=Count("id")).order_by()))
    served = items.filter(job__isnull=False).aggregate(
        requests=Sum("job__requests"),
        average=Avg("job__duration_ms"),
        next_try_at=Min("job__not_before", filter=Q(job__state=PriceJob.State.WAITING)),
    )
    errors = items.filter(job__state=PriceJob.State.DEAD).values_list("job__error_kind")
    return Progress(
        run=run,
        import_pass=run.import_pass,
        total=sum(states.values()),
        reused=states[None],
        recorded=states[PriceJob.State.RECORDED],
        none_for_sale=states[PriceJob.State.NONE_FOR_SALE],
        blocked=states[PriceJob.State.BLOCKED],
        gone=states[PriceJob.State.GONE],
        not_found=states[PriceJob.State.NOT_FOUND],
        failed=states[PriceJob.State.DEAD],
        cancelled=states[PriceJob.State.CANCELLED],
        waiting=states[PriceJob.State.WAITING],
        at_work=sum(states[state] for state in PriceJob.WORKING),
        next_try_at=served["next_try_at"],
        price_requests=(served["requests"] or 0) + run.replaced_requests,
        import_requests=_import_requests(run),
        average_ms=None if served["average"] is None else round(served["average"]),
        seconds=((run.finished_at or now) - run.created_at).total_seconds(),
        errors=dict(errors.annotate(n=Count("id")).order_by()),
    )


def _import_requests(run: SyncRun) -> int:
    """The requests of the run's import pass; none if the run only builds on a pass that was complete before."""
    import_pass = run.import_pass
    if import_pass is None or (import_pass.finished_at and import_pass.finished_at < run.created_at):
        return 0
    return import_pass.requests


def active_run_of(user_id: int) -> SyncRun | None:
    return SyncRun.objects.of(user_id).active().select_related("import_pass").first()


def runs_for(user_id: int, *, limit: int = 30) -> list[SyncRun]:
    """A user's runs, newest first, each with `total`, `done`, `failed` and `cancelled`: one query."""
    runs = (
        SyncRun.objects.of(user_id).with_counts().select_related("import_pass").defer("import_pass__unread")
    )
    return list(runs.order_by("-created_at")[:limit])


def progress_now(user_id: int, *, now: datetime) -> Progress | None:
    """The progress of the user's active run; one query when there is none."""
    run = active_run_of(user_id)
    return progress_of(run, now=now) if run else None
