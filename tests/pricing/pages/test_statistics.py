"""The statistics of a release, over readings with gaps, doubts and days without a price."""

import math
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.pages.charts import Change
from pricing.pages.statistics import (
    MAX_VOLATILITY,
    PLENTY,
    Movement,
    Reading,
    middle,
    scarcity,
    statistics_of,
    volatility,
    wants_per_have,
)
from pricing.precision.estimator import PRIOR_DAYS, Learned

TODAY = date(2026, 3, 31)
START = TODAY - timedelta(days=30)


def reading(ago: int, amount_minor: int | None = None, **fields) -> Reading:
    return Reading(TODAY - timedelta(days=ago), amount_minor, **fields)


def over_a_month(readings, *, newest=None, now_minor=None, movement=None):
    return statistics_of(
        readings, newest=newest, now_minor=now_minor, start=START, today=TODAY, movement=movement
    )


def test_statistics_are_of_the_range_and_now():
    rows = [reading(30, 2000, listings=9, wants=40), reading(10, 3500, listings=7, wants=41), reading(2)]
    newest = reading(0, 2500, listings=3, wants=50)
    found = over_a_month(rows, newest=newest, now_minor=2500)
    assert (found.now_minor, found.low_minor, found.median_minor, found.high_minor) == (
        2500,
        2000,
        2500,
        3500,
    )
    assert (found.low_day, found.high_day) == (START, TODAY - timedelta(days=10))
    assert found.change == Change(2000, 2500)
    assert (found.listings, found.wants) == (Change(9, 3), Change(40, 50))
    assert (found.days_observed, found.days_priced, found.days) == (4, 3, 31)


def test_statistics_without_readings_know_nothing():
    found = over_a_month([])
    facts = (found.now_minor, found.low_minor, found.low_day, found.median_minor, found.high_minor)
    assert {*facts, found.change, found.listings, found.wants, found.volatility} == {None}
    assert (found.days_observed, found.days) == (0, 31)


def test_newest_reading_replaces_the_one_of_its_day():
    found = over_a_month([reading(5, 1000), reading(0, 9000)], newest=reading(0, 1200), now_minor=1200)
    assert (found.high_minor, found.median_minor, found.days_observed) == (1200, 1100, 2)


def test_newest_reading_can_be_older_than_the_range():
    found = over_a_month([], newest=reading(40, 1200), now_minor=1200)
    assert (found.low_minor, found.high_minor, found.change) == (1200, 1200, None)
    assert (found.days_observed, found.days_priced) == (0, 0)


def test_doubted_day_is_not_observed():
    found = over_a_month([reading(3, 1000), reading(1, is_observed=False)])
    assert (found.days_observed, found.days_priced, found.high_minor) == (1, 1, 1000)


def test_carried_price_ends_the_change():
    found = over_a_month([reading(20, 1000), reading(9, 1500), reading(0)], now_minor=1500)
    assert found.change == Change(1000, 1500)
    assert (found.now_minor, found.days_observed, found.days_priced) == (1500, 3, 2)


def test_change_needs_a_price_now():
    assert over_a_month([reading(20, 1000), reading(9, 1500)]).change is None


@pytest.mark.parametrize(
    ("amounts", "expected"), [([], None), ([7], 7), ([1, 2], 2), ([3, 1, 2], 2), ([10, 11, 20, 40], 16)]
)
def test_middle_is_the_median_in_whole_minor_units(amounts, expected):
    assert middle(amounts) == expected


@given(st.lists(st.none() | st.integers(min_value=0, max_value=10**9), max_size=40))
def test_low_median_and_high_are_in_order(amounts):
    found = over_a_month([reading(ago, amount) for ago, amount in enumerate(amounts)])
    known = [amount for amount in amounts if amount is not None]
    if not known:
        assert found.median_minor is None
        return
    assert min(known) == found.low_minor <= found.median_minor <= found.high_minor == max(known)
    assert found.days_priced <= found.days_observed <= found.days
    days = {TODAY - timedelta(days=ago): amount for ago, amount in enumerate(amounts)}
    assert (days[found.low_day], days[found.high_day]) == (found.low_minor, found.high_minor)


@pytest.mark.parametrize(
    ("variance", "per_cent"),
    [
        (0.0, 0),
        (math.log(1.5) ** 2 / 365, 50),
        (math.log(2) ** 2 / 365, 100),
        (0.004, 235),
        (9.0, MAX_VOLATILITY),
    ],
)
def test_volatility_is_one_deviation_of_a_year(variance, per_cent):
    assert volatility(Movement(Learned(), variance)) == per_cent


@pytest.mark.parametrize(("days", "is_own"), [(0, False), (PRIOR_DAYS - 1, False), (PRIOR_DAYS, True)])
def test_volatility_says_whether_it_is_of_the_release(days, is_own):
    found = over_a_month([], movement=Movement(Learned(0.1, days), 0.004))
    assert found.is_volatility_own is is_own


@pytest.mark.parametrize(
    ("for_sale", "want", "expected"),
    [(None, 5, None), (5, None, None), (5, 0, None), (0, 50, 0), (3, 412, 1), (12, 40, 30), (90, 3, PLENTY)],
)
def test_scarcity_is_bounded(for_sale, want, expected):
    assert scarcity(for_sale, want) == expected


@pytest.mark.parametrize(
    ("want", "have", "expected"), [(None, 5, None), (5, None, None), (5, 0, None), (0, 5, 0), (50, 25, 200)]
)
def test_wants_per_have_is_for_each_hundred(want, have, expected):
    assert wants_per_have(want, have) == expected
