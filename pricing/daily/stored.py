"""Store each day's estimated value, so that the history of a large collection is read and not computed."""

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import transaction

from collections_app.models import CollectionInstance, DiscogsConnection
from pricing.models import CollectionValue, PriceSnapshot, SyncRun
from pricing.money.convert import PRICE_CURRENCY
from pricing.value.current import value_for
from pricing.value.decisions import decisions_of
from pricing.value.freshness import PRICE_COUNTS_FOR, fresh_for
from pricing.value.valuation import Copy, Holding, Value, holdings_at, value_of


def store_value(user_id: int, *, now: datetime) -> None:
    """Store the value of a user's collection for today (UTC), unless it has no price yet."""
    value = value_for(user_id, now=now)
    if value.priced:
        write_value(user_id, value, day=now.astimezone(UTC).date())


def write_value(user_id: int, value: Value, *, day: date) -> None:
    with transaction.atomic():
        if _lock_connection(user_id):
            CollectionValue.objects.update_or_create(user_id=user_id, day=day, defaults=_figures(value))


def as_row(user_id: int, value: Value, *, day: date) -> CollectionValue:
    """The value as that of a day, not stored."""
    return CollectionValue(user_id=user_id, day=day, **_figures(value))


def settle_value(user_id: int, *, now: datetime) -> None:
    """Compute and store a user's values of yesterday and today from snapshots.

    Prices of shared releases change with other users' syncs, so a day's value is final only when the day is over.
    """
    today = now.astimezone(UTC).date()
    rebuild_values(user_id, first=today - timedelta(days=1), last=today, now=now)


def forget_values(user_id: int) -> None:
    """Erase what was derived from a user's collection: the history of values and the runs."""
    with transaction.atomic():
        CollectionValue.objects.filter(user_id=user_id).delete()
        SyncRun.objects.of(user_id).delete()


def rebuild_values(user_id: int, *, first: date, last: date, now: datetime) -> int:
    """Recompute the values of past days from holdings and snapshots; returns how many days have one.

    Three queries for the sources, whatever the span; the time grows with days × releases.
    """
    # A price counts for PRICE_COUNTS_FOR, so older readings do not matter to the first day.
    copies, readings = _copies_of(user_id), _readings_of(user_id, since=first - PRICE_COUNTS_FOR)
    decisions = decisions_of(user_id)
    rows = []
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        moment = min(datetime.combine(day, time.max, UTC), now)
        held = holdings_at(copies, readings, decisions, moment=moment)
        value = value_of(held, currency=PRICE_CURRENCY, now=moment, fresh_for=fresh_for())
        if value.priced:
            rows.append(as_row(user_id, value, day=day))
    with transaction.atomic():
        if not _lock_connection(user_id):
            return 0
        CollectionValue.objects.filter(user_id=user_id, day__range=(first, last)).delete()
        CollectionValue.objects.bulk_create(rows, batch_size=500)
    return len(rows)


def _lock_connection(user_id: int) -> bool:
    """Lock the user's connection until this transaction ends, so that erased values cannot return; False if none."""
    rows = DiscogsConnection.objects.select_for_update(no_key=True).filter(user_id=user_id)
    return rows.values("pk").first() is not None


def _copies_of(user_id: int) -> list[Copy]:
    rows = CollectionInstance.objects.of(user_id).values_list("release_id", "added_at", "removed_at")
    return [Copy(*row) for row in rows]


def _readings_of(user_id: int, *, since: date) -> dict[int, list[Holding]]:
    releases = CollectionInstance.objects.of(user_id).values("release_id")
    rows = PriceSnapshot.objects.filter(release_id__in=releases, day__gte=since).order_by("release_id", "day")
    readings: dict[int, list[Holding]] = defaultdict(list)
    fields = (
        "release_id",
        "status",
        "amount_minor",
        "currency",
        "observed_at",
        "num_for_sale",
        "want",
        "doubt",
    )
    for row in rows.values(*fields).iterator():
        readings[row["release_id"]].append(Holding(copies=0, **row))
    return readings


def _figures(value: Value) -> dict[str, Any]:
    return {
        "currency": value.currency,
        "value_minor": value.amount_minor,
        "instances": value.copies,
        "priced": value.priced,
        "stale": value.stale,
        "unpriced": value.unpriced,
        "num_for_sale": value.num_for_sale,
        "want": value.want,
    }
