"""Decide which releases of a run are due, and write its items and jobs. Fetches nothing; `runs` has the transitions."""

from collections.abc import Generator, Iterator, Sequence, Set
from datetime import datetime, timedelta
from math import ceil, inf

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, FloatField, Min, Q, Sum, Value
from django.db.models.functions import Coalesce

from collections_app.discogs.payloads import MarketStatus
from collections_app.models import CollectionInstance, DiscogsConnection, Preferences
from collections_app.times import is_from_the_future, is_recent
from pricing.models import PriceJob, ReleasePrice, RunItem, SyncRun
from pricing.sync.due import GONE_ONCE, is_due, priority, share_that_fits

CHUNK = 1_000  # releases in one statement
JUST_CHECKED = timedelta(minutes=1)
# Discogs seldom restores a release. After a single 404 the release is fetched again the next day.
GONE_IS_FRESH_FOR = timedelta(days=7)


def plan_steps(run: SyncRun, release_ids: Sequence[int], *, now: datetime) -> Iterator[None]:
    """Give every release of a run a job, or mark it as served by a fresh price.

    Each step plans a thousand releases in its own transaction: on SQLite it blocks every other writer.
    Planning stops when the run ends. It is safe to start again, and to run in two processes at once.
    The feeder takes jobs in the order of the items, so the most urgent are created first.
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
        due = yield from _due_releases(release_ids, every=age, now=now)
        fresh = set(release_ids).difference(due)
        fits = ceil(len(due) * _share_that_fits() - 1e-9)  # 9.000000001 releases are 9
        return due[:fits], sorted(fresh)
    fresh = set()
    for chunk in _chunks(release_ids):
        fresh.update(fresh_releases(chunk, stale_after=age, now=now))
        yield
    return [release for release in release_ids if release not in fresh], sorted(fresh)


def _due_releases(
    release_ids: Sequence[int], *, every: timedelta, now: datetime
) -> Generator[None, None, list[int]]:
    """The releases that a scheduled run fetches, most urgent first: two queries for each thousand releases."""
    urgency: dict[int, float] = {}
    for chunk in _chunks(release_ids):
        held = CollectionInstance.objects.held().filter(release_id__in=chunk).values_list("release_id")
        owners = dict(held.annotate(owners=Count("connection", distinct=True)).order_by())
        readings = ReleasePrice.objects.in_bulk(chunk)
        for release in chunk:
            price = readings.get(release)
            if price is None or is_from_the_future(price.observed_at, now=now):
                urgency[release] = inf
            elif _is_due(price, every=every, now=now):
                age = (now - price.observed_at).total_seconds()
                urgency[release] = priority(age, owners.get(release, 0), price.amount_minor, price.volatility)
        yield
    return sorted(urgency, key=lambda release: (-urgency[release], release))


def _is_due(price: ReleasePrice, *, every: timedelta, now: datetime) -> bool:
    return is_due(
        price.status, every=every, status_since=price.status_since, observed_at=price.observed_at, now=now
    )


def _share_that_fits() -> float:
    """The share of due releases to fetch, below 1 if all users' intervals need more than the rate limit: one query.

    Releases that are left out are older, and so more urgent, the next time.
    """
    hours = Coalesce(
        F("connection__user__preferences__sync_every_hours"), Value(int(Preferences.SyncEvery.DAY))
    )
    held = CollectionInstance.objects.held().filter(connection__state=DiscogsConnection.State.ACTIVE)
    scheduled = held.annotate(hours=hours).exclude(hours=Preferences.SyncEvery.NEVER)
    # One request serves all owners, at the shortest of their intervals.
    releases = scheduled.order_by().values("release_id").annotate(every=Min("hours"))
    wanted = releases.aggregate(per_hour=Sum(Value(1.0) / F("every"), output_field=FloatField()))
    return share_that_fits(
        wanted_per_hour=wanted["per_hour"] or 0.0,
        allowed_per_hour=settings.DISCOGS_RATE_LIMIT * 3600 / settings.DISCOGS_RATE_WINDOW,
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
