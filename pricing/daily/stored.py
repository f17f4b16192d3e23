"""Store each day's estimated value on each basis, so that a long history is read and not computed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import Max, Min

from collections_app.models import CollectionInstance, DiscogsConnection
from pricing.daily.history import histories_of
from pricing.daily.parts import end_of, split_since
from pricing.daily.replay import BASES, Day, Figures, Replay
from pricing.models import CollectionValue, SyncRun
from pricing.money.convert import PRICE_CURRENCY
from pricing.value.cascade import Basis
from pricing.value.change import Part, Split
from pricing.value.current import value_for
from pricing.value.freshness import fresh_for
from pricing.value.valuation import Value

MAX_GAP = timedelta(days=60)  # days without a stored value that the next settling fills
STEP_SIZE = 200_000  # copies times days in one step of a rebuild: a few seconds
BATCH = 500


def store_value(user_id: int, *, now: datetime) -> None:
    """Store the values of a user's collection for today (UTC), on each basis, unless it has none yet."""
    today = now.astimezone(UTC).date()
    rows = [
        as_row(
            user_id, value, day=today, split=split_since(user_id, basis, today - timedelta(days=1), now=now)
        )
        for basis in BASES
        if (value := value_for(user_id, now=now, basis=basis)).priced
    ]
    write_values(user_id, rows)


def write_values(user_id: int, rows: Sequence[CollectionValue]) -> None:
    """Insert the rows of a user or replace those of the same days; nothing if the user has disconnected since."""
    with transaction.atomic():
        if _lock_connection(user_id):
            _write(rows)


def as_row(user_id: int, value: Value, *, day: date, split: Split | None = None) -> CollectionValue:
    """The value as that of a day, not stored."""
    return CollectionValue(
        user_id=user_id,
        day=day,
        basis=value.basis,
        currency=value.currency,
        value_minor=value.amount_minor,
        instances=value.copies,
        priced=value.priced,
        stale=value.stale,
        unpriced=value.unpriced,
        num_for_sale=value.num_for_sale,
        want=value.want,
        **(_columns(split) if split else {}),
    )


def settle_value(user_id: int, *, now: datetime) -> None:
    """Compute and store a user's values of yesterday and today from what was read, and those of days left out before.

    Prices of shared releases change with other users' syncs, so a day's value is final only when the day is over.
    """
    today = now.astimezone(UTC).date()
    newest = CollectionValue.objects.filter(user_id=user_id, day__lt=today).aggregate(day=Max("day"))["day"]
    yesterday = today - timedelta(days=1)
    first = yesterday if newest is None else max(min(newest, yesterday), today - MAX_GAP)
    rebuild_values(user_id, first=first, last=today, now=now)


def rebuild_values(user_id: int, *, first: date, last: date, now: datetime) -> int:
    """Compute the values of these days again and store them; returns how many days have one."""
    rows = list(recomputed(user_id, first=first, last=last, now=now))
    with transaction.atomic():
        if not _lock_connection(user_id):
            return 0
        CollectionValue.objects.filter(user_id=user_id, day__range=(first, last)).delete()
        CollectionValue.objects.bulk_create(rows, batch_size=BATCH)
    return len({row.day for row in rows})


def rebuild_step(user_id: int, *, first: date, now: datetime) -> date | None:
    """Compute as many days from `first` on as a few seconds allow; returns the day to go on with, None at the end."""
    today = now.astimezone(UTC).date()
    copies = max(CollectionInstance.objects.of(user_id).count(), 1)
    last = min(first + timedelta(days=STEP_SIZE // copies), today)
    rebuild_values(user_id, first=first, last=last, now=now)
    return last + timedelta(days=1) if last < today else None


def recomputed(user_id: int, *, first: date, last: date, now: datetime) -> Iterator[CollectionValue]:
    """The rows of these days, as copies and readings give them; nothing is stored.

    A few queries for each batch of releases; the memory grows with the days alone.
    """
    days = [first + timedelta(days=n) for n in range(-1, (last - first).days + 1)]
    replay = Replay([min(end_of(day), now) for day in days], fresh_for=fresh_for())
    for history in histories_of(user_id, since=first):
        replay.add(history)
    for day, sums in islice(zip(days, replay.days, strict=True), 1, None):
        for basis, figures in sums.by_basis.items():
            if figures.priced:
                yield _row(user_id, day, basis, sums, figures)


def first_wrong_day(user_id: int) -> date | None:
    """The first stored day whose number of copies is not that of the copies' own dates, None if there is none.

    A copy can be read long after the day on which it was added, so the days between were stored without it.
    """
    stored = CollectionValue.objects.filter(user_id=user_id, basis=Basis.FLOOR).order_by("day")
    days = list(stored.values_list("day", "instances"))
    copies = CollectionInstance.objects.of(user_id).values_list("added_at", "removed_at")
    changes = sorted(_changes(copies))
    held = place = 0
    for day, instances in days:
        while place < len(changes) and changes[place][0] <= day:
            held += changes[place][1]
            place += 1
        if held != instances:
            return day
    return None


def _changes(copies: Iterable[tuple[datetime, datetime | None]]) -> Iterator[tuple[date, int]]:
    for added_at, removed_at in copies:
        if removed_at is None or removed_at.astimezone(UTC).date() != added_at.astimezone(UTC).date():
            yield added_at.astimezone(UTC).date(), 1
            if removed_at is not None:
                yield removed_at.astimezone(UTC).date(), -1


@dataclass(frozen=True, slots=True)
class Difference:
    """A stored day that is not as computed again; None: there is no such row."""

    day: date
    basis: Basis
    stored: CollectionValue | None
    computed: CollectionValue | None


def differences(user_id: int, *, now: datetime) -> Iterator[Difference]:
    """The stored days of a user, up to yesterday, that are not what copies and readings give."""
    stored = CollectionValue.objects.filter(user_id=user_id)
    first = stored.aggregate(day=Min("day"))["day"]
    last = now.astimezone(UTC).date() - timedelta(days=1)
    if first is None or first > last:
        return
    rows = {(row.day, row.basis): row for row in stored.filter(day__lte=last)}
    found = {(row.day, row.basis): row for row in recomputed(user_id, first=first, last=last, now=now)}
    for key in sorted(rows.keys() | found.keys()):
        before, after = rows.get(key), found.get(key)
        if before is None or after is None or _figures(before) != _figures(after):
            yield Difference(key[0], Basis(key[1]), before, after)


def forget_values(user_id: int) -> None:
    """Erase what was derived from a user's collection: the history of values and the runs."""
    with transaction.atomic():
        CollectionValue.objects.filter(user_id=user_id).delete()
        SyncRun.objects.of(user_id).delete()


def _lock_connection(user_id: int) -> bool:
    """Lock the user's connection until this transaction ends, so that erased values cannot return; False if none."""
    rows = DiscogsConnection.objects.select_for_update(no_key=True).filter(user_id=user_id)
    return rows.values("pk").first() is not None


def _write(rows: Sequence[CollectionValue]) -> None:
    key = ("user", "basis", "day")
    columns = [field.name for field in CollectionValue._meta.concrete_fields if not field.primary_key]
    CollectionValue.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=key,
        update_fields=[name for name in columns if name not in key],
    )


def _row(user_id: int, day: date, basis: Basis, sums: Day, figures: Figures) -> CollectionValue:
    return CollectionValue(
        user_id=user_id,
        day=day,
        basis=basis,
        currency=PRICE_CURRENCY,
        value_minor=figures.value_minor,
        instances=sums.copies,
        priced=figures.priced,
        stale=sums.stale,
        unpriced=sums.copies - figures.priced,
        num_for_sale=sums.num_for_sale,
        want=sums.want,
        like_minor=figures.like_minor,
        **{f"{part}_minor": amount for part, amount in figures.parts.items()},
    )


def _columns(split: Split) -> dict[str, int]:
    return {"like_minor": split.like_minor, **{f"{part}_minor": getattr(split, part) for part in Part}}


def _figures(row: CollectionValue) -> dict[str, Any]:
    names = [field.attname for field in CollectionValue._meta.concrete_fields]
    return {name: getattr(row, name) for name in names if name != "id"}
