"""What was paid for the copies held on each day, and how many were added."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.daily.purchases import Lot, lots_of, purchases_on
from pricing.money.ecb import usd_minor_on
from tests import factories as make

FIRST = date(2014, 3, 24)
DAY = timedelta(days=1)
DAYS = [FIRST + ahead * DAY for ahead in range(6)]


def day(ahead: int) -> date:
    return FIRST + ahead * DAY


def test_copy_counts_from_the_day_it_was_added_until_it_was_removed():
    found = purchases_on(DAYS, [Lot(day(1), day(4), "USD", 2, 2, 3000), Lot(day(3), None, "USD", 1, 1, 500)])
    assert found.invested == [None, 3000, 3000, 3500, 500, 500]
    assert found.added == [0, 2, 0, 1, 0, 0]
    assert (found.paid, found.unknown) == (1, 0)


def test_copy_held_before_the_first_day_is_not_added():
    found = purchases_on(DAYS, [Lot(day(-9), None, "USD", 3, 3, 900), Lot(day(0), None, "USD", 1, 1, 100)])
    assert found.invested == [1000] * 6
    assert found.added == [0] * 6


def test_days_that_are_missing_count_for_the_next_one():
    found = purchases_on([day(0), day(5)], [Lot(day(ahead), None, "USD", 1, 1, 10) for ahead in (1, 2, 5)])
    assert found.added == [0, 3]
    assert found.invested == [None, 30]


def test_copy_added_and_removed_between_two_days_was_never_held():
    found = purchases_on([day(0), day(5)], [Lot(day(2), day(4), "USD", 1, 1, 10)])
    assert found.invested == [None, None]
    assert found.added == [0, 1]


def test_price_is_converted_at_the_rate_of_the_day_it_was_added():
    found = purchases_on(DAYS, [Lot(day(-400), None, "EUR", 1, 1, 10_000)])
    assert found.invested == [usd_minor_on(day(-400), 10_000, "EUR")] * 6
    assert found.invested[0] != usd_minor_on(day(0), 10_000, "EUR")


def test_price_without_a_rate_is_not_part_of_it():
    lots = [
        Lot(day(0), None, "", 4, 4, 7000),
        Lot(day(0), None, "TRY", 1, 1, 7000),
        Lot(day(0), None, "USD", 1, 1, 0),
    ]
    found = purchases_on(DAYS, lots)
    assert found.invested == [0] * 6
    assert (found.paid, found.unknown) == (1, 5)


def test_copies_without_a_price_are_only_added():
    found = purchases_on(DAYS, [Lot(day(2), None, "", 3)])
    assert found.invested == [None] * 6
    assert found.added == [0, 0, 3, 0, 0, 0]
    assert (found.paid, found.unknown) == (0, 0)


ends = st.integers(-3, 8)


@given(st.lists(st.tuples(ends, st.none() | ends, st.integers(0, 999)), max_size=12))
def test_each_day_is_the_sum_of_the_copies_held_then(copies):
    lots = [
        Lot(day(added), None if removed is None else day(removed), "USD", 1, 1, paid)
        for added, removed, paid in copies
        if removed is None or removed >= added
    ]
    found = purchases_on(DAYS, lots)
    for at, each in enumerate(DAYS):
        held = [
            lot.paid_minor for lot in lots if lot.added <= each and (not lot.removed or each < lot.removed)
        ]
        assert found.invested[at] == (sum(held) if held else None)
    assert sum(found.added) == sum(DAYS[0] < lot.added <= DAYS[-1] for lot in lots)


# The query -------------------------------------------------------------------------------------------


def at(ahead: int, hour: time = time(12)) -> datetime:
    return datetime.combine(day(ahead), hour, UTC)


@pytest.mark.django_db
def test_copies_are_grouped_by_utc_day_and_currency(django_assert_num_queries):
    owner, other = make.make_connection(), make.make_connection("other")
    release = make.make_release()
    paid = {"paid_minor": 100, "paid_currency": "EUR"}
    for hour in (time.min, time.max):
        make.make_copy(owner, release, added_at=at(1, hour), **paid)
    make.make_copy(owner, release, added_at=at(1), removed_at=at(3), **paid)
    make.make_copy(
        owner, release, added_at=at(1), removed_at=at(0, time.max), **paid
    )  # before that day is over
    make.make_copy(owner, release, added_at=at(-8))  # without a price, and not in the range
    make.make_copy(owner, release, added_at=at(-8), paid_minor=5)
    make.make_copy(owner, release, added_at=at(0, time.max))
    make.make_copy(owner, release, added_at=at(2))
    make.make_copy(other, release, added_at=at(1), **paid)
    with django_assert_num_queries(1):
        found = lots_of(owner.user_id, since=day(0))
    assert sorted(found, key=lambda lot: (lot.added, lot.removed or date.max)) == [
        Lot(day(-8), None, "", 1, 1, 5),
        Lot(day(1), day(3), "EUR", 1, 1, 100),
        Lot(day(1), None, "EUR", 2, 2, 200),
        Lot(day(2), None, "", 1),
    ]
