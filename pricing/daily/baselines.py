"""What releases cost at the start of each range: kept beside the latest prices, so that no list searches the history.

A baseline is the answer of `search`, stored. Past days change only where history is restored, made up, decided again or
deleted, so a row is right until its day ends: the nightly pass then renews it, and until it has, `amount_on` searches.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from django.db.models import BigIntegerField, Case, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThan

from collections_app.discogs.payloads import MarketStatus
from pricing.models import Doubt, EarlierPrice, PriceBaseline, PriceSnapshot, ReleasePrice
from pricing.value.freshness import PRICE_COUNTS_FOR
from pricing.value.worth import IntegerCase

# The ranges of pages, in days before today.
DAYS = (7, 30, 91, 182, 365)
BATCH = 2_000  # releases in one step: a fifth of a second
COLUMNS = ("day", "first_day", "first_minor", *(f"days_{days}_minor" for days in DAYS), "year_minor")


def days_of(today: date) -> dict[str, date]:
    """The day of each column on `today`."""
    return {
        "year_minor": date(today.year, 1, 1),
        **{f"days_{days}_minor": today - timedelta(days=days) for days in DAYS},
    }


def search(day: date, *, with_doubted: bool = False) -> Subquery:
    """What the release of a row cost on a day: its newest reading up to then, unless that is older than a price counts.

    If none was for sale by that reading, or the release was blocked: the last price that counted, if recent enough.
    Nothing if the reading was doubted, unless `with_doubted`: for an owner who had decided to count it. One step into
    the index of snapshots for each row, whatever it is a row of; it must have a `release`.
    """
    oldest = day - PRICE_COUNTS_FOR
    readings = PriceSnapshot.objects.filter(release=OuterRef("release"), day__lte=day, day__gt=oldest)
    price = _price_after(oldest, with_doubted=with_doubted)
    return Subquery(readings.order_by("-day").values_list(price)[:1])


def _price_after(oldest: date, *, with_doubted: bool = False) -> Case:
    """The price of a snapshot, or the one that it carries from a later day than `oldest`."""
    is_unsold = Q(status__in=(MarketStatus.NONE_FOR_SALE, MarketStatus.BLOCKED))
    is_counted = Q(status=MarketStatus.PRICED) if with_doubted else Q(doubt=Doubt.NONE)
    return IntegerCase(
        When(is_unsold, then=_carried(oldest)),
        When(is_counted, then="amount_minor"),
        output_field=BigIntegerField(),
    )


def _carried(oldest: date) -> Combinable:
    """The newest price that counted up to the day of a snapshot: of one before it, or read earlier on a day."""
    window = {"release": OuterRef("release"), "day__lte": OuterRef("day"), "day__gt": oldest}
    counted = PriceSnapshot.objects.filter(**window, status=MarketStatus.PRICED, doubt=Doubt.NONE)
    replaced = EarlierPrice.objects.filter(**window)
    amounts, days = (
        [Subquery(rows.order_by("-day").values(name)[:1]) for rows in (replaced, counted)]
        for name in ("amount_minor", "day")
    )
    is_replaced = GreaterThan(days[0], Coalesce(days[1], Value(date.min)))
    return IntegerCase(When(is_replaced, then=amounts[0]), default=amounts[1], output_field=BigIntegerField())


def amount_on(day: date, *, today: date, price: str = "release__price__") -> IntegerCase:
    """The same from the baselines; where they do not know it, the database searches for that row alone.

    `price` is the lookup path to the ReleasePrice; empty if the rows are ReleasePrice rows. `today` is a UTC day.
    """
    path = f"{price}baseline__"
    is_current = Q(**{f"{path}day": today})
    for column, its_day in days_of(today).items():
        if its_day == day:
            return IntegerCase(
                When(is_current, then=F(f"{path}{column}")),
                default=search(day),
                output_field=BigIntegerField(),
            )
    return IntegerCase(
        When(is_current & Q(**{f"{path}first_day": day}), then=F(f"{path}first_minor")),
        When(is_current & Q(**{f"{path}first_day__gt": day}), then=None),  # it had no price yet
        default=search(day),
        output_field=BigIntegerField(),
    )


def renew(release_ids: Sequence[int], *, today: date) -> None:
    """Search the baselines of these releases again, as of `today` (UTC). Two queries for each BATCH."""
    for start in range(0, len(release_ids), BATCH):
        _renew(release_ids[start : start + BATCH], today=today)


def _renew(release_ids: Sequence[int], *, today: date) -> None:
    readings = PriceSnapshot.objects.filter(release=OuterRef("release")).order_by("day")
    columns: dict[str, Combinable] = {
        "first_day": Subquery(readings.values("day")[:1]),
        "first_minor": Subquery(readings.values_list(_price_after(date.min))[:1]),
        **{column: search(day) for column, day in days_of(today).items()},
    }
    found = ReleasePrice.objects.filter(pk__in=release_ids).values_list("pk", *columns.values())
    rows = [
        PriceBaseline(price_id=pk, day=today, **dict(zip(columns, values, strict=True)))
        for pk, *values in found
    ]
    PriceBaseline.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["price"], update_fields=COLUMNS
    )


def note_reading(release_id: int, *, before: ReleasePrice | None, now: datetime) -> None:
    """Renew a release's baselines if the reading stored now can have changed them; most readings cost no query.

    before: the latest price until then.
    """
    today = now.astimezone(UTC).date()
    if before is None or today in days_of(today).values():
        renew([release_id], today=today)
    elif before.observed_at.astimezone(UTC).date() == today and _begins(release_id, today):
        renew([release_id], today=today)  # it replaced the first snapshot


def _begins(release_id: int, day: date) -> bool:
    return PriceBaseline.objects.filter(pk=release_id, first_day=day).exists()


def behind(*, today: date) -> "QuerySet[ReleasePrice]":
    """The prices whose baselines are missing or of another day."""
    return ReleasePrice.objects.exclude(baseline__day=today)


def renew_next(after: int, *, today: date) -> int | None:
    """Renew the next BATCH of baselines that are behind, from an id on; returns the last id, None if none is left."""
    ids = list(behind(today=today).filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:BATCH])
    renew(ids, today=today)
    return ids[-1] if ids else None
