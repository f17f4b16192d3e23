"""Stored days: those left out are filled, those that became wrong are computed again, some at a time."""

from datetime import UTC, datetime, timedelta

import pytest

from collections_app.models import CollectionInstance, DiscogsConnection
from pricing.daily import stored
from pricing.models import CollectionValue, EarlierPrice, PriceSnapshot, ValueRequest
from pricing.sync import value_requests
from pricing.value.current import value_for
from tests import factories as make
from tests.pricing.daily.made import read

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def connection() -> DiscogsConnection:
    """One copy at $10.00, read on each of ten days, whose values are stored."""
    connection = make.make_connection()
    release = make.make_copy(connection, added_at=NOON - 99 * DAY).release
    for day in range(10):
        read(release, at=NOON + day * DAY, amount=1000)
        stored.store_value(connection.user_id, now=NOON + day * DAY)
    return connection


def values() -> list[int]:
    return list(
        CollectionValue.objects.filter(basis="floor").order_by("day").values_list("value_minor", flat=True)
    )


def late_copy(connection, *, price: int = 500) -> None:
    """A copy that was added on the fourth day and is read now."""
    copy = make.make_copy(connection, added_at=NOON + 3 * DAY)
    make.make_snapshot(copy.release, price, day=(NOON + 2 * DAY).date(), observed_at=NOON + 2 * DAY)
    make.make_price(copy.release, price, observed_at=NOON + 2 * DAY)


def test_days_that_were_left_out_are_filled(connection):
    CollectionValue.objects.filter(day__gte=(NOON + 4 * DAY).date()).delete()
    stored.settle_value(connection.user_id, now=NOON + 9 * DAY)
    assert values() == [1000] * 10


def test_day_without_a_late_copy_is_found(connection):
    assert stored.first_wrong_day(connection.user_id) is None
    late_copy(connection)
    assert stored.first_wrong_day(connection.user_id) == (NOON + 3 * DAY).date()


def test_late_copy_reaches_every_day_in_steps(connection, monkeypatch):
    late_copy(connection)
    monkeypatch.setattr(stored, "STEP_SIZE", 4)  # two copies: three days a step
    now = NOON + 9 * DAY
    request = ValueRequest.objects.create(user=connection.user, due_at=now)
    places = []
    while ValueRequest.objects.exists():
        value_requests.work(request.pk, now=now)
        places += ValueRequest.objects.values_list("rebuild_from", flat=True)
    assert places == [(NOON + 6 * DAY).date(), (NOON + 9 * DAY).date()]
    assert values() == [1000] * 3 + [1500] * 7
    assert not list(stored.differences(connection.user_id, now=now))


def test_killed_step_is_repeated(connection, monkeypatch):
    late_copy(connection)
    now = NOON + 9 * DAY
    request = ValueRequest.objects.create(user=connection.user, due_at=now)
    with monkeypatch.context() as broken:
        broken.setattr(stored, "recomputed", lambda *_, **__: (_ for _ in ()).throw(RuntimeError))
        with pytest.raises(RuntimeError):
            value_requests.work(request.pk, now=now)
    assert values() == [1000] * 10
    value_requests.work(request.pk, now=now)
    assert values() == [1000] * 3 + [1500] * 7


def test_price_earlier_on_a_day_is_carried_and_kept(connection):
    copy, later = CollectionInstance.objects.get(), NOON + 9 * DAY
    read(copy.release, at=later + timedelta(hours=1), amount=1100)
    read(copy.release, at=later + timedelta(hours=2), amount=None)
    assert PriceSnapshot.objects.latest("day").amount_minor is None
    assert EarlierPrice.objects.get().amount_minor == 1100
    assert value_for(connection.user_id, now=later + timedelta(hours=3)).amount_minor == 1100
    stored.settle_value(connection.user_id, now=later + DAY)
    assert values()[-1] == 1100


def test_parts_are_stored_for_each_day(connection):
    make.make_price(
        make.make_copy(connection, added_at=NOON + 9 * DAY).release, 700, observed_at=NOON + 9 * DAY
    )
    stored.store_value(connection.user_id, now=NOON + 9 * DAY)
    row = CollectionValue.objects.filter(basis="grade").latest("day")
    assert (row.value_minor, row.added_minor, row.like_minor, row.price_minor) == (1700, 700, 1000, 0)
