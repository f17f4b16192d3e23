"""Decide which releases a run covers and which of them are due. Writes items and jobs; fetches nothing."""

from collections.abc import Generator, Iterator, Sequence, Set
from datetime import datetime, timedelta
from math import ceil, inf
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import Count, F, FloatField, Min, Q, Sum, Value
from django.db.models.functions import Coalesce

from collections_app.discogs.payloads import MarketStatus
from collections_app.importing.steps import ConnectionErased, start_import
from collections_app.models import CollectionInstance, DiscogsConnection, ImportPass, Preferences
from collections_app.tasks import enqueue_import
from collections_app.times import is_from_the_future, is_recent
from pricing.models import PriceJob, ReleasePrice, RunItem, SyncRun
from pricing.sync.due import GONE_ONCE, is_due, priority, share_that_fits
from pricing.sync.value_requests import request_after

CHUNK = 1_000  # releases in one statement
JUST_CHECKED = timedelta(minutes=1)
# Discogs seldom restores a release. After a single 404 the release is fetched again the next day.
GONE_IS_FRESH_FOR = timedelta(days=7)


class NotConnected(Exception):
    """The user has no Discogs connection, so there is nothing to sync."""


def start_sync(
    user: AbstractBaseUser | Any,
    *,
    trigger: SyncRun.Trigger,
    now: datetime,
    stale_after: timedelta | None = None,
    import_first: bool = True,
) -> SyncRun:
    """Start a run that updates a user's prices, or return the run that is already active.

    stale_after: prices younger than this are reused (default PRICE_FRESH_FOR; zero fetches all); for a scheduled
    run, the user's interval.
    import_first: import the collection first; if False, it is imported only if that was never completed.
    Raises NotConnected.
    """
    connection = DiscogsConnection.objects.filter(user_id=user.pk).first()
    if connection is None:
        raise NotConnected("Connect Discogs first; then prices can be fetched.")
    complete = ImportPass.objects.filter(connection=connection, state=ImportPass.State.COMPLETE)
    read = None if import_first else complete.order_by("-pk").first()
    try:
        with transaction.atomic():
            run = SyncRun.objects.create(
                user_id=user.pk,
                state=SyncRun.State.IMPORTING,
                trigger=trigger,
                stale_after_seconds=_seconds(stale_after),
                import_pass=read or start_import(connection, now=now),
                created_at=now,
            )
            if run.import_pass and not read:
                enqueue_import(run.import_pass.pk, now=now)
    except IntegrityError:
        return _newest_run_of(user.pk)
    except ConnectionErased as erased:
        raise NotConnected(str(erased)) from None
    # If this process ends during planning, a supervisor continues: the collection has been imported.
    held = CollectionInstance.objects.of(user.pk).held()
    return _plan_completely(run, list(held.release_ids()), now=now) if read else run


def _newest_run_of(user_id: int) -> SyncRun:
    """The run of an earlier click, active or just finished. Raises NotConnected if the connection was erased since."""
    newest = SyncRun.objects.of(user_id).order_by("-created_at").first()
    if newest is None:
        raise NotConnected("The connection was erased meanwhile; nothing was started.")
    return newest


def start_release_sync(
    release_ids: Sequence[int], *, now: datetime, stale_after: timedelta | None = None
) -> SyncRun:
    """Start a run over chosen releases, for no particular user. All of them must be in the database."""
    run = SyncRun.objects.create(
        state=SyncRun.State.IMPORTING,
        trigger=SyncRun.Trigger.COMMAND,
        stale_after_seconds=_seconds(stale_after),
        created_at=now,
    )
    return _plan_completely(run, sorted(set(release_ids)), now=now)


def check_release(release_id: int, *, now: datetime) -> bool:
    """Fetch one release before everything else. Returns False if it was checked within the last minute."""
    just_checked = is_recent("observed_at", now=now, within=JUST_CHECKED)
    if ReleasePrice.objects.filter(just_checked, pk=release_id).exists():
        return False
    with transaction.atomic():
        run = SyncRun.objects.create(
            state=SyncRun.State.IMPORTING,
            trigger=SyncRun.Trigger.CLICK,
            stale_after_seconds=0,
            created_at=now,
        )
        _plan_completely(run, [release_id], now=now)
        job = PriceJob.objects.filter(pk__in=run.items.values("job"))
        job.update(lane=PriceJob.Lane.INTERACTIVE)
        # A queued job is queued again at the front; its old row will find it claimed and do nothing.
        job.filter(state=PriceJob.State.QUEUED).update(state=PriceJob.State.DUE)
    return True


def _plan_completely(run: SyncRun, release_ids: Sequence[int], *, now: datetime) -> SyncRun:
    """Plan a run completely and start fetching."""
    for _ in plan_steps(run, release_ids, now=now):
        pass
    return _finish_if_nothing_is_due(run, now=now)


def plan_steps(run: SyncRun, release_ids: Sequence[int], *, now: datetime) -> Iterator[None]:
    """Give every release of a run a job, or mark it as served by a fresh price; then start fetching.

    Each step plans a thousand releases in its own transaction: on SQLite it blocks every other writer.
    Planning stops when the run is cancelled. It is safe to start again, and to run in two processes at once.
    The feeder takes jobs in the order of the items, so the most urgent are created first.
    """
    due, reused = yield from _due_and_reused(run, release_ids, now=now)
    to_fetch = set(due)
    for chunk in _chunks([*due, *reused]):
        if not _plan_chunk(run, chunk, to_fetch, now=now):
            return
        yield
    importing = SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.IMPORTING)
    importing.update(state=SyncRun.State.RUNNING)


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


def pause_run(run: SyncRun, *, now: datetime) -> None:
    """Stop queueing the run's jobs; running jobs finish."""
    SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.RUNNING).update(state=SyncRun.State.PAUSED)


def resume_run(run: SyncRun, *, now: datetime) -> None:
    SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.PAUSED).update(state=SyncRun.State.RUNNING)


def cancel_run(run: SyncRun, *, now: datetime) -> None:
    """End the run. Jobs that no other active run needs are cancelled, except running ones."""
    _stop(run, SyncRun.State.CANCELLED, now=now)


def fail_runs_of(user_id: int, *, error: str, now: datetime) -> None:
    """End a user's active run as failed, with the reason. Jobs that other runs need continue."""
    for run in SyncRun.objects.of(user_id).active():
        _stop(run, SyncRun.State.FAILED, now=now, error=error)


def _stop(run: SyncRun, state: SyncRun.State, *, now: datetime, error: str = "") -> None:
    with transaction.atomic():
        ended = SyncRun.objects.active().filter(pk=run.pk)
        if not ended.update(state=state, finished_at=now, error=error):
            return
        wanted = RunItem.objects.filter(run__state__in=SyncRun.ACTIVE, job__isnull=False).values("job")
        idle = (PriceJob.State.DUE, PriceJob.State.QUEUED, PriceJob.State.WAITING)
        PriceJob.objects.filter(items__run=run, state__in=idle).exclude(pk__in=wanted).update(
            state=PriceJob.State.CANCELLED, finished_at=now
        )


def retry_failed(run: SyncRun, *, now: datetime) -> int:
    """Create new jobs for the failed releases of a run and resume it; returns how many."""
    with transaction.atomic():
        failed = list(run.items.filter(job__state=PriceJob.State.DEAD))
        if not failed or SyncRun.objects.of(run.user_id or 0).active().exclude(pk=run.pk).exists():
            return 0
        jobs = _live_jobs([item.release_id for item in failed], now=now)
        for item in failed:
            item.job_id = jobs.get(item.release_id)
        RunItem.objects.bulk_update(failed, ["job"], batch_size=CHUNK)
        SyncRun.objects.filter(pk=run.pk).update(state=SyncRun.State.RUNNING, finished_at=None)
    return len(failed)


def _finish_if_nothing_is_due(run: SyncRun, *, now: datetime) -> SyncRun:
    run.refresh_from_db()
    if run.state == SyncRun.State.RUNNING and not run.items.filter(job__state__in=PriceJob.LIVE).exists():
        end_run(run, SyncRun.State.FINISHED, now=now)
        run.refresh_from_db()
    return run


def end_run(run: SyncRun, state: SyncRun.State, *, now: datetime, error: str = "") -> bool:
    """End a run unless it has ended already, and request the values that it has changed."""
    rows = SyncRun.objects.filter(pk=run.pk, state__in=(SyncRun.State.IMPORTING, SyncRun.State.RUNNING))
    with transaction.atomic():
        if not rows.update(state=state, finished_at=now, error=error):
            return False
        if state == SyncRun.State.FINISHED:
            request_after(run, now=now)
    return True


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


def _seconds(stale_after: timedelta | None) -> int:
    return int(settings.PRICE_FRESH_FOR if stale_after is None else stale_after.total_seconds())


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
