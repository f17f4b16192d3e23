"""The figures that owners set for copies of theirs, which go before every market figure. Kept with their time."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction

from collections_app.models import CollectionInstance, DiscogsConnection, OwnValue
from pricing.models import ExchangeRate
from pricing.money.convert import PRICE_CURRENCY, convert_back

MAX_COPIES = 20_000  # that one call changes
MAX_NOTE = 500  # characters
CHUNK = 500  # copies in one statement


class NoRate(Exception):
    """There is no exchange rate for the currency yet, so the figure cannot be part of a total."""


@dataclass(frozen=True, slots=True)
class _Figure:
    """The columns of one entry of the log; without an amount, a withdrawal."""

    amount_minor: int | None = None
    currency: str = ""
    usd_minor: int | None = None
    note: str = ""


def set_own(
    user_id: int, copy_ids: Iterable[int], *, amount_minor: int, currency: str, note: str, now: datetime
) -> int:
    """Set the value of those of these copies that the user holds; returns how many these are.

    Raises NoRate and stores nothing if the amount cannot be converted to the currency of prices.
    """
    figure = _Figure(amount_minor, currency, _in_price_currency(amount_minor, currency), note)
    return _write(user_id, copy_ids, figure, now=now)


def withdraw_own(user_id: int, copy_ids: Iterable[int], *, now: datetime) -> int:
    """Withdraw the user's own value of these copies; returns how many had one."""
    return _write(user_id, copy_ids, _Figure(), now=now)


def _in_price_currency(amount_minor: int, currency: str) -> int:
    if currency == PRICE_CURRENCY:
        return amount_minor
    row = ExchangeRate.objects.filter(currency=currency).first()
    if row is None:
        raise NoRate(currency)
    return convert_back(amount_minor, row.as_rate())


def _write(user_id: int, copy_ids: Iterable[int], figure: _Figure, *, now: datetime) -> int:
    with transaction.atomic():
        # Two changes at once would leave the copies with one of them and the log with the other as the newest.
        rows = DiscogsConnection.objects.select_for_update(no_key=True)
        connection = rows.filter(user_id=user_id).first()
        if connection is None:
            return 0
        # An import step that stores a page now would find copies locked one after another, in another order.
        list(connection.import_passes.running().select_for_update(no_key=True).values("pk"))
        mine = CollectionInstance.objects.filter(connection=connection).held()
        if figure.amount_minor is None:
            mine = mine.filter(own_minor__isnull=False)
        return sum(
            _write_chunk(list(mine.filter(pk__in=chunk).values_list("pk", flat=True)), figure, now=now)
            for chunk in _chunks(copy_ids)
        )


def _chunks(copy_ids: Iterable[int]) -> Iterator[list[int]]:
    ids = sorted(set(copy_ids))
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def _write_chunk(copy_ids: list[int], figure: _Figure, *, now: datetime) -> int:
    """Add an entry to the log of each copy and keep it on the copy itself, where totals read it."""
    log = OwnValue.objects.filter(copy__in=copy_ids)
    log.filter(
        set_at__gte=now
    ).delete()  # of a clock that was ahead: they would stand for longer than this one
    columns = asdict(figure)
    OwnValue.objects.bulk_create(OwnValue(copy_id=number, set_at=now, **columns) for number in copy_ids)
    copies = CollectionInstance.objects.filter(pk__in=copy_ids)
    return copies.update(own_minor=figure.usd_minor, own_set_at=now)
