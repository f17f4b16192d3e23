"""Store what one request brought: snapshot, latest price and job in one transaction. Safe to run twice."""

from datetime import UTC, datetime

from django.db import transaction

from collections_app.discogs.payloads import Market
from pricing.models import PriceJob, PriceSnapshot, PriceStatus, ReleasePrice

READING = (
    "status", "currency", "amount_minor", "num_for_sale", "want", "have", "rating_count", "rating_average",
)  # fmt: skip

OUTCOME = {
    PriceStatus.PRICED: PriceJob.State.RECORDED,
    PriceStatus.NONE_FOR_SALE: PriceJob.State.NONE_FOR_SALE,
    PriceStatus.BLOCKED: PriceJob.State.BLOCKED,
    PriceStatus.GONE: PriceJob.State.GONE,
}


def gone(discogs_id: int) -> Market:
    """The reading of a release that Discogs no longer has."""
    return Market(discogs_id, PriceStatus.GONE, "", None, None, None, None, None, None)


def record_market(job: PriceJob, market: Market, *, duration_ms: int, requests: int, now: datetime) -> bool:
    """Store a reading and finish its job. False, and nothing stored, when the job is no longer this worker's."""
    values = {name: getattr(market, name) for name in READING}
    with transaction.atomic():
        if not _finish(job, PriceStatus(market.status), duration_ms=duration_ms, requests=requests, now=now):
            return False
        PriceSnapshot.objects.bulk_create(
            [
                PriceSnapshot(
                    release_id=market.discogs_id,
                    day=now.astimezone(UTC).date(),
                    observed_at=now,
                    duration_ms=duration_ms,
                    source=PriceSnapshot.Source.DISCOGS,
                    **values,
                )
            ],
            update_conflicts=True,
            unique_fields=["release", "day"],
            update_fields=[*READING, "observed_at", "duration_ms", "source"],
        )
        ReleasePrice.objects.bulk_create(
            [ReleasePrice(release_id=market.discogs_id, observed_at=now, **values)],
            update_conflicts=True,
            unique_fields=["release"],
            update_fields=[*READING, "observed_at"],
        )
    return True


def _finish(job: PriceJob, status: PriceStatus, *, duration_ms: int, requests: int, now: datetime) -> bool:
    mine = PriceJob.objects.filter(pk=job.pk, state=PriceJob.State.RUNNING, lease_owner=job.lease_owner)
    return bool(
        mine.update(
            state=OUTCOME[status],
            finished_at=now,
            duration_ms=duration_ms,
            requests=job.requests + requests,
            error_kind="",
            error="",
        )
    )
