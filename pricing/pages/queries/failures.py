"""Releases whose last attempt failed: why, in plain words, and when they are tried again."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef
from django.utils import timezone

from collections_app.discogs.errors import Kind
from collections_app.models import CollectionInstance, DiscogsConnection, Release
from pricing.models import PriceJob, ReleasePrice
from pricing.money.display import current
from pricing.money.format import day
from pricing.sync.progress import Progress
from pricing.value.freshness import STATE_LABELS, Freshness
from pricing.workers.schedules import next_sync_at

MAX_LISTED = 100  # failed releases of a run

REASONS: dict[str, str] = {
    Kind.UNKNOWN: "The reason is not known.",
    Kind.NETWORK: "Discogs did not answer.",
    Kind.SERVER: "Discogs answered with an error.",
    Kind.DATA: "Discogs’ answer could not be read.",
    Kind.RATE_LIMIT: "Discogs asked this site to slow down.",
    Kind.CREDENTIALS: "Discogs did not accept the connection.",
    Kind.CONSUMER: "Discogs did not accept the key of this site.",
    Kind.PRIVATE: "Discogs did not allow access to it.",
    Kind.GONE: "Discogs did not find it.",
    Kind.SELLER_SETTINGS: "Discogs asks for seller settings first.",
    Kind.REQUEST: "Discogs refused the request: a fault of this site.",
    Kind.WAITING: "No request could be sent in time.",
    Kind.WORKER: "The process that fetched it broke off each time.",
    Kind.STOPPED: "It was stopped.",
    Kind.RENAMED: "The account was renamed at Discogs.",
    Kind.OWNER: "The connection needs its owner.",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed release. `then`: what has happened to it since, or happens next; "" if the list says it for all."""

    release: Release
    reason: str
    failed_at: datetime | None
    then: str


@dataclass(frozen=True, slots=True)
class Failures:
    """The failed releases of a run, by artist and title; `more` are not listed. `reasons` counts all of them."""

    rows: list[Failure]
    more: int
    reasons: dict[str, int]
    next_try: str


def failures_of(progress: Progress, connection: DiscogsConnection | None, *, now: datetime) -> Failures:
    """The failed releases of a run: two queries."""
    run = progress.run
    held = CollectionInstance.objects.of(run.user_id or 0).held().filter(release=OuterRef("release"))
    items = run.items.filter(job__state=PriceJob.State.DEAD).annotate(is_held=Exists(held))
    items = items.select_related("release", "job__release__price")
    rows = [
        Failure(
            item.release, reason_of(item.job), item.job.finished_at, _then(item.job, is_held=item.is_held)
        )
        for item in items.order_by("release__artists", "release__title", "pk")[:MAX_LISTED]
        if item.job
    ]
    reasons: Counter[str] = Counter()
    for kind, number in progress.errors.items():
        reasons[_words(kind)] += number
    return Failures(rows, max(0, progress.failed - len(rows)), dict(reasons), next_try(connection, now=now))


def _then(job: PriceJob, *, is_held: bool) -> str:
    if failure_since(getattr(job.release, "price", None), job) is None:
        return "Fetched since."
    return "" if is_held else "Not tried again: it is not in your collection any more."


def reason_of(job: PriceJob) -> str:
    return _words(job.error_kind)


def _words(kind: str) -> str:
    return REASONS.get(kind, REASONS[Kind.UNKNOWN])


def last_failures(release_ids: Collection[int]) -> dict[int, PriceJob]:
    """The newest job of each release that ended without a reading, if it failed: one query."""
    ended = PriceJob.objects.filter(
        release__in=release_ids,
        state__in=(PriceJob.State.DEAD, PriceJob.State.NOT_FOUND),
        finished_at__isnull=False,
    )
    newest = {job.release_id: job for job in ended.defer("error", "worker").order_by("finished_at", "pk")}
    return {release: job for release, job in newest.items() if job.state == PriceJob.State.DEAD}


def failure_since(price: ReleasePrice | None, job: PriceJob | None) -> PriceJob | None:
    """The failed job, unless the release was fetched after it."""
    if job is None or job.finished_at is None:
        return None
    return None if price and price.observed_at > job.finished_at else job


def label_of(state: Freshness, *, has_failed: bool) -> str:
    """The label of a state; a release that no attempt could fetch is not one that was never tried."""
    return "Failed" if has_failed and state == Freshness.NEVER_FETCHED else STATE_LABELS[state]


def next_try(connection: DiscogsConnection | None, *, now: datetime) -> str:
    """When the user's failed releases are tried again, as the end of a sentence: one query."""
    at = next_sync_at(connection.pk, now=now) if connection else None
    if connection is None or connection.needs_reconnect:
        return "not tried again until you reconnect"
    if at is None:
        return "tried again when you start a sync"
    if at <= now:
        return "tried again with the next sync, which starts in a moment"
    local = timezone.localtime(at)
    on = day(local.date(), current().locale, "short")
    return f"tried again with the next sync, {on}, {local:%H:%M}"
