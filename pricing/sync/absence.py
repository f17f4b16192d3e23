"""Decide what a 404 for a release means. A single 404 proves little: Discogs, or a proxy, may answer 404 to everything.

A release that was never priced loses nothing, so it is marked as gone at once. A release with a price keeps it until
Discogs answers 404 again at least an hour later, and a run marks at most a fifth of its releases as gone.
"""

from datetime import UTC, datetime, timedelta

from django.db import transaction

from collections_app.discogs.payloads import MarketStatus
from pricing.models import PriceJob, PriceSnapshot, ReleasePrice, RunItem, SyncRun
from pricing.sync.recorder import finish_job, gone, record_market

CONFIRMED_AFTER = timedelta(hours=1)
MAX_GONE_SHARE = 5  # one release in this many; a run with fewer releases may lose one


def record_not_found(job: PriceJob, *, duration_ms: int, requests: int, now: datetime) -> bool:
    """Store a 404 and finish its job: as gone or, until the 404 is confirmed, as not found with the price kept.

    Returns False and stores nothing if the job no longer belongs to this worker.
    """
    with transaction.atomic():
        price = ReleasePrice.objects.filter(pk=job.release_id).first()
        if _is_confirmed(job, price, now=now):
            since = price.not_found_at if price else None
            reading = gone(job.release_id)
            return record_market(
                job, reading, duration_ms=duration_ms, requests=requests, now=now, status_since=since
            )
        if not finish_job(job, PriceJob.State.NOT_FOUND, duration_ms=duration_ms, requests=requests, now=now):
            return False
        ReleasePrice.objects.filter(pk=job.release_id, not_found_at__isnull=True).update(not_found_at=now)
    return True


def _is_confirmed(job: PriceJob, price: ReleasePrice | None, *, now: datetime) -> bool:
    if price is None or price.status == MarketStatus.GONE or not _was_priced(price):
        return True
    if price.not_found_at is None or now - price.not_found_at < CONFIRMED_AFTER:
        return False
    # A reading of the same day is better evidence for that day than a 404.
    was_read_today = price.observed_at.astimezone(UTC).date() == now.astimezone(UTC).date()
    return not was_read_today and _runs_have_room(job)


def _was_priced(price: ReleasePrice) -> bool:
    snapshots = PriceSnapshot.objects.filter(release=price.release_id, status=MarketStatus.PRICED)
    return price.status == MarketStatus.PRICED or snapshots.exists()


def _runs_have_room(job: PriceJob) -> bool:
    """Whether each run that includes the job may mark one more priced release as gone.

    The runs are locked, so that two workers cannot both use the last allowance.
    """
    wanting = RunItem.objects.filter(job=job).values("run")
    runs = SyncRun.objects.select_for_update(no_key=True).filter(pk__in=wanting).order_by("pk")
    return all(_has_room(run) for run in list(runs))


def _has_room(run: SyncRun) -> bool:
    fetched = run.items.filter(reused=False)
    lost = fetched.filter(job__state=PriceJob.State.GONE, release__snapshots__status=MarketStatus.PRICED)
    return lost.values("pk").distinct().count() < max(1, fetched.count() // MAX_GONE_SHARE)
