"""Store the result of one request: snapshot, latest price and job in one transaction. Safe to run twice."""

from dataclasses import fields
from datetime import UTC, date, datetime
from typing import Any

from django.db import transaction

from collections_app.discogs.payloads import Market, MarketStatus
from pricing.daily.baselines import note_reading
from pricing.models import Doubt, EarlierPrice, PriceJob, PriceSnapshot, ReleasePrice
from pricing.precision.estimator import Learned, in_days, learn, urgency, variance_per_day
from pricing.precision.plausibility import Before, doubt_of
from pricing.precision.weights import prior_variance

READING = tuple(
    field.name for field in fields(Market) if field.name != "discogs_id"
)  # columns of the same names

DOUBTED = ("doubted_minor", "doubted_on")
# Columns of the latest price that do not come from the answer itself.
LEARNED = ("last_minor", "last_priced_at", "s2", "exposure_days", "prior_variance", "urgency")

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
        before = ReleasePrice.objects.filter(pk=market.discogs_id).first()
        values["doubt"] = _doubt(market, before, now=now)
        found = {} if values["doubt"] else _found(market, before, now=now)
        state = OUTCOME[MarketStatus(market.status)]
        if not finish_job(job, state, duration_ms=duration_ms, requests=requests, now=now, **found):
            return False
        _keep_replaced_price(values, before, release_id=market.discogs_id, now=now)
        _store_snapshot(market, values, duration_ms=duration_ms, now=now)
        _store_latest(market, before, values, status_since=status_since, now=now)
        note_reading(market.discogs_id, before=before, now=now)
    return True


def _doubt(market: Market, before: ReleasePrice | None, *, now: datetime) -> Doubt:
    """Why this reading does not count yet."""
    if market.amount_minor is None:
        return Doubt.NONE
    return doubt_of(
        market.amount_minor,
        day=_day_of(now),
        for_sale=market.num_for_sale,
        suggested_minor=before.near_mint_minor if before else None,
        before=Before(before.last_minor, before.num_for_sale, before.doubted_minor, before.doubted_on)
        if before
        else Before(),
    )


def _doubted(market: Market, before: ReleasePrice | None, *, doubt: Doubt, now: datetime) -> dict[str, Any]:
    """The columns DOUBTED after a reading."""
    if doubt:
        return {"doubted_minor": market.amount_minor, "doubted_on": _day_of(now)}
    if before is None or market.amount_minor is not None:
        return dict.fromkeys(DOUBTED)
    # A reading without a price leaves the doubt open, unless it replaces the snapshot that was doubted.
    if market.status != MarketStatus.GONE and before.doubted_on == _day_of(now):
        return dict.fromkeys(DOUBTED)
    return {name: getattr(before, name) for name in DOUBTED}


def _day_of(now: datetime) -> date:
    return now.astimezone(UTC).date()


def _keep_replaced_price(
    values: dict[str, Any], before: ReleasePrice | None, *, release_id: int, now: datetime
) -> None:
    """Keep the price that counted earlier on this day if a reading replaces it that has none or does not count."""
    last_at = before.last_priced_at if before else None
    if before is None or before.last_minor is None or last_at is None or _day_of(last_at) != _day_of(now):
        return
    if values["amount_minor"] is None or values["doubt"]:
        EarlierPrice.objects.update_or_create(
            release_id=release_id,
            day=_day_of(now),
            defaults={"amount_minor": before.last_minor, "observed_at": last_at},
        )


def _store_snapshot(market: Market, values: dict[str, Any], *, duration_ms: int, now: datetime) -> None:
    """Store the reading of this day. It replaces an earlier one, but a 404 never replaces a market reading."""
    snapshot = PriceSnapshot(
        release_id=market.discogs_id,
        day=_day_of(now),
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
        update_fields=[*READING, "doubt", "observed_at", "duration_ms", "source"],
    )


def _store_latest(
    market: Market,
    before: ReleasePrice | None,
    values: dict[str, Any],
    *,
    status_since: datetime | None,
    now: datetime,
) -> None:
    if before and before.status == market.status:
        status_since = before.status_since
    latest = ReleasePrice(
        release_id=market.discogs_id,
        observed_at=now,
        status_since=status_since or now,
        not_found_at=None,
        **learned_from(market, before, doubt=values["doubt"], now=now),
        **_doubted(market, before, doubt=values["doubt"], now=now),
        **values,
    )
    ReleasePrice.objects.bulk_create(
        [latest],
        update_conflicts=True,
        unique_fields=["release"],
        update_fields=[
            *READING,
            "doubt",
            *DOUBTED,
            "observed_at",
            "status_since",
            "not_found_at",
            *LEARNED,
        ],
    )


def learned_from(
    market: Market, before: ReleasePrice | None, *, doubt: Doubt = Doubt.NONE, now: datetime
) -> dict[str, Any]:
    """The columns LEARNED after a reading: the last price, and what consecutive prices say of the release.

    Nothing is learned from a doubted reading. When it is confirmed, the jump adds at most MAX_CHANGE squared.
    """
    if market.amount_minor is None or doubt:
        return {name: getattr(before or ReleasePrice(), name) for name in LEARNED}
    price = {"last_minor": market.amount_minor, "last_priced_at": now}
    if before is None or before.last_minor is None or before.last_priced_at is None:
        prior = prior_variance(market.num_for_sale, market.amount_minor)
        weight = before.weight if before else 0.0
        return {
            **price,
            **Learned()._asdict(),
            "prior_variance": prior,
            "urgency": urgency(weight, prior),
        }
    known = learn(
        _learned(before),
        before_minor=before.last_minor,
        after_minor=market.amount_minor,
        days=in_days(now - before.last_priced_at),
    )
    variance = variance_per_day(known, prior=before.prior_variance)
    return {
        **price,
        **known._asdict(),
        "prior_variance": before.prior_variance,
        "urgency": urgency(before.weight, variance),
    }


def _found(market: Market, before: ReleasePrice | None, *, now: datetime) -> dict[str, Any]:
    """What the job keeps of the price before and after it: the difference is what its run has found."""
    found: dict[str, Any] = {"after_minor": market.amount_minor}
    if before and before.amount_minor is not None and not before.doubt:
        age = max(in_days(now - before.observed_at), 0.0)
        variance = variance_per_day(_learned(before), prior=before.prior_variance)
        found |= {"before_minor": before.amount_minor, "before_variance": variance * age}
    return found


def _learned(price: ReleasePrice) -> Learned:
    return Learned(price.s2, price.exposure_days)


def finish_job(
    job: PriceJob, state: PriceJob.State, *, duration_ms: int, requests: int, now: datetime, **fields: Any
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
            **fields,
        )
    )
