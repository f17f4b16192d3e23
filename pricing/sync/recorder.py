"""Store the result of one request: snapshot, latest price and job in one transaction. Safe to run twice."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from collections_app.discogs.payloads import Market, MarketStatus
from pricing.models import PriceJob, PriceSnapshot, ReleasePrice

READING = tuple(
    field.name for field in fields(Market) if field.name != "discogs_id"
)  # columns of the same names

OUTCOME = {
    MarketStatus.PRICED: PriceJob.State.RECORDED,
    MarketStatus.NONE_FOR_SALE: PriceJob.State.NONE_FOR_SALE,
    MarketStatus.BLOCKED: PriceJob.State.BLOCKED,
    MarketStatus.GONE: PriceJob.State.GONE,
}


def gone(discogs_id: int) -> Market:
    """The reading of a release that Discogs no longer has."""
    return Market(discogs_id, MarketStatus.GONE, "", None, None, None, None, None, None)


def record_market(
    job: PriceJob,
    market: Market,
    *,
    duration_ms: int,
    requests: int,
    now: datetime,
    status_since: datetime | None = None,
) -> bool:
    """Store a reading and finish its job. Returns False and stores nothing if the job is no longer this worker's.

    status_since: when the status began, if that is known more exactly than from the previous reading.
    """
    values = {name: getattr(market, name) for name in READING}
    with transaction.atomic():
        state = OUTCOME[MarketStatus(market.status)]
        if not finish_job(job, state, duration_ms=duration_ms, requests=requests, now=now):
            return False
        _store_snapshot(market, values, duration_ms=duration_ms, now=now)
        _store_latest(market, values, status_since=status_since, now=now)
    return True


def _store_snapshot(market: Market, values: dict[str, Any], *, duration_ms: int, now: datetime) -> None:
    """Store the reading of this day. It replaces an earlier one, but a 404 never replaces a market reading."""
    snapshot = PriceSnapshot(
        release_id=market.discogs_id,
        day=now.astimezone(UTC).date(),
        observed_at=now,
        duration_ms=duration_ms,
        source=PriceSnapshot.Source.DISCOGS,
        **values,
    )
    if market.status == MarketStatus.GONE:
        PriceSnapshot.objects.bulk_create([snapshot], ignore_conflicts=True)
        return
    PriceSnapshot.objects.bulk_create(
        [snapshot],
        update_conflicts=True,
        unique_fields=["release", "day"],
        update_fields=[*READING, "observed_at", "duration_ms", "source"],
    )


def _store_latest(
    market: Market, values: dict[str, Any], *, status_since: datetime | None, now: datetime
) -> None:
    before = ReleasePrice.objects.filter(pk=market.discogs_id).first()
    if before and before.status == market.status:
        status_since = before.status_since
    latest = ReleasePrice(
        release_id=market.discogs_id,
        observed_at=now,
        status_since=status_since or now,
        not_found_at=None,
        volatility=volatility_after(before, market.amount_minor),
        **values,
    )
    ReleasePrice.objects.bulk_create(
        [latest],
        update_conflicts=True,
        unique_fields=["release"],
        update_fields=[*READING, "observed_at", "status_since", "not_found_at", "volatility"],
    )


def volatility_after(before: ReleasePrice | None, amount_minor: int | None) -> float:
    """The moving average of relative changes, including the change from the previous reading to this amount."""
    if before is None or not before.amount_minor or amount_minor is None:
        return before.volatility if before else 0.0
    change = abs(amount_minor - before.amount_minor) / before.amount_minor
    return 0.8 * before.volatility + 0.2 * min(change, 1.0)


def finish_job(
    job: PriceJob, state: PriceJob.State, *, duration_ms: int, requests: int, now: datetime
) -> bool:
    """End a job with the result of its request. Returns False if the job is no longer this worker's."""
    mine = PriceJob.objects.leased(job)
    return bool(
        mine.update(
            state=state,
            finished_at=now,
            duration_ms=duration_ms,
            requests=job.requests + requests,
            error_kind="",
            error="",
        )
    )
