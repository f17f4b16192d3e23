"""Decide which releases of a run are due, and write its items and jobs. Fetches nothing; `runs` has the transitions."""

from collections.abc import Generator, Iterator, Sequence, Set
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from collections_app.discogs.payloads import MarketStatus
from collections_app.times import is_recent
from pricing.models import Doubt, PriceJob, ReleasePrice, RunItem, SyncRun
from pricing.precision import weights
from pricing.precision.order import NEVER_FETCHED, Turn, is_worth_a_request, turn_of
from pricing.sync.due import GONE_ONCE, is_due

CHUNK = 1_000  # releases in one statement
JUST_CHECKED = timedelta(minutes=1)
# Discogs seldom restores a release. After a single 404 the release is fetched again the next day.
GONE_IS_FRESH_FOR = timedelta(days=7)


def plan_steps(run: SyncRun, release_ids: Sequence[int], *, now: datetime) -> Iterator[None]:
    """Give every release of a run a job, or mark it as served by a fresh price.

    Each step plans a thousand releases in its own transaction: on SQLite it blocks every other writer.
    Planning stops when the run ends. It is safe to start again, and to run in two processes at once.
    The feeder takes the jobs of a run that was not scheduled in the order of its items.
    """
    due, reused = yield from _due_and_reused(run, release_ids, now=now)
    to_fetch = set(due)
    for chunk in _chunks([*due, *reused]):
        if not _plan_chunk(run, chunk, to_fetch, now=now):
            return
        yield


def _plan_chunk(run: SyncRun, chunk: Sequence[int], to_fetch: Set[int], *, now: datetime) -> bool:
    """Plan these releases; returns False, having planned nothing, if the run is no longer being planned."""
    with transaction.atomic():
        importing = SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.IMPORTING)
        if importing.select_for_update(no_key=True).values("pk").first() is None:
            return False
        # A second job for a release that already has its item would belong to no run.
        known = set(run.items.filter(release__in=chunk).values_list("release_id", flat=True))
        new = [release for release in chunk if release not in known]
        # Jobs are created in the same order everywhere, so that two planners cannot deadlock.
        jobs = _live_jobs(sorted(to_fetch & set(new)), now=now)
        RunItem.objects.bulk_create(
            RunItem(run=run, release_id=release, job_id=jobs.get(release), reused=release not in jobs)
            for release in new
        )
    return True


def _due_and_reused(
    run: SyncRun, release_ids: Sequence[int], *, now: datetime
) -> Generator[None, None, tuple[list[int], list[int]]]:
    """Split a run's releases into those to fetch, in order, and those whose price is reused."""
    age = timedelta(seconds=run.stale_after_seconds)
    if run.trigger == SyncRun.Trigger.SCHEDULE:
        return (yield from _scheduled_releases(release_ids, every=age, now=now))
    fresh = set()
    for chunk in _chunks(release_ids):
        fresh.update(fresh_releases(chunk, stale_after=age, now=now))
        yield
    return [release for release in release_ids if release not in fresh], sorted(fresh)


def _scheduled_releases(
    release_ids: Sequence[int], *, every: timedelta, now: datetime
) -> Generator[None, None, tuple[list[int], list[int]]]:
    """The releases that a scheduled run fetches, in order, and those that are not due: a query for each thousand.

    Those in neither list are due, but others are more urgent and the limit does not allow for all.
    """
    threshold = weights.threshold()
    turns: dict[int, Turn] = {}
    fresh: list[int] = []
    for chunk in _chunks(release_ids):
        readings = ReleasePrice.objects.in_bulk(chunk)
        for release in chunk:
            price = readings.get(release)
            turn = turn_of(price.observed_at, price.urgency, now=now) if price else NEVER_FETCHED
            if price is None or turn == NEVER_FETCHED:
                turns[release] = turn
            elif not _is_due(price, every=every, now=now):
                fresh.append(release)
            elif price.doubt or is_worth_a_request(price.status, turn, threshold=threshold):
                turns[release] = turn
        yield
    return sorted(turns, key=lambda release: (turns[release], release)), sorted(fresh)


def _is_due(price: ReleasePrice, *, every: timedelta, now: datetime) -> bool:
    return is_due(
        price.status,
        every=every,
        status_since=price.status_since,
        observed_at=price.observed_at,
        now=now,
        is_doubted=price.doubt != Doubt.NONE,
    )


def fresh_releases(release_ids: Sequence[int], *, stale_after: timedelta, now: datetime) -> list[int]:
    """The releases whose newest reading is recent enough to be reused."""
    if not stale_after:
        return []
    young = is_recent("observed_at", now=now, within=stale_after)
    gone = Q(status=MarketStatus.GONE) & is_recent("observed_at", now=now, within=GONE_IS_FRESH_FOR)
    confirmed = Q(status_since__lt=F("observed_at")) | is_recent("observed_at", now=now, within=GONE_ONCE)
    readings = ReleasePrice.objects.filter(young | gone & confirmed, release_id__in=release_ids)
    return list(readings.values_list("release_id", flat=True))


def was_just_checked(release_id: int, *, now: datetime) -> bool:
    just_checked = is_recent("observed_at", now=now, within=JUST_CHECKED)
    return ReleasePrice.objects.filter(just_checked, pk=release_id).exists()


def move_to_front(run: SyncRun) -> None:
    """Fetch a run's jobs before everything else."""
    jobs = PriceJob.objects.filter(pk__in=run.items.values("job"))
    jobs.update(lane=PriceJob.Lane.INTERACTIVE)
    # A queued job is queued again at the front; its old row will find it claimed and do nothing.
    jobs.filter(state=PriceJob.State.QUEUED).update(state=PriceJob.State.DUE)


def replace_failed_jobs(run: SyncRun, *, now: datetime) -> int:
    """Give each failed release of a run another job; returns how many. Call it in a transaction.

    The run keeps the number of requests of the jobs that it no longer refers to.
    """
    failed = list(run.items.filter(job__state=PriceJob.State.DEAD).select_related("job"))
    sent = sum(item.job.requests for item in failed if item.job)
    SyncRun.objects.filter(pk=run.pk).update(replaced_requests=F("replaced_requests") + sent)
    jobs = _live_jobs([item.release_id for item in failed], now=now)
    for item in failed:
        item.job_id = jobs.get(item.release_id)
    RunItem.objects.bulk_update(failed, ["job"], batch_size=CHUNK)
    return len(failed)


def cancel_unneeded_jobs(run: SyncRun, *, now: datetime) -> None:
    """Cancel the jobs of a run that no active run needs, except running ones."""
    needed = RunItem.objects.filter(run__state__in=SyncRun.ACTIVE, job__isnull=False).values("job")
    idle = PriceJob.objects.live().exclude(state=PriceJob.State.RUNNING).filter(items__run=run)
    idle.exclude(pk__in=needed).update(state=PriceJob.State.CANCELLED, finished_at=now)


def _live_jobs(release_ids: Sequence[int], *, now: datetime) -> dict[int, int]:
    """The live job of each release, created where there is none: {release id: job id}."""
    if not release_ids:
        return {}
    PriceJob.objects.bulk_create(
        [PriceJob(release_id=release, created_at=now) for release in release_ids], ignore_conflicts=True
    )
    jobs = dict(PriceJob.objects.live().filter(release_id__in=release_ids).values_list("release_id", "pk"))
    # A job of another run that ended between the two statements has just stored a price.
    missing = [release for release in release_ids if release not in jobs]
    if missing:
        newest = PriceJob.objects.filter(release_id__in=missing).order_by("pk")
        jobs.update(newest.values_list("release_id", "pk"))
    return jobs


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
