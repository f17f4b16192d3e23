"""The order of scheduled requests: the rule, its SQL twin, and the threshold."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.models import ReleasePrice
from pricing.precision.order import BY_INDEX, by_turn, is_worth_a_request, turn_of
from pricing.precision.threshold import Alike, threshold_for, wanted_per_day
from tests.factories import make_price, make_release

NOW = datetime(2027, 3, 28, 0, 30, tzinfo=UTC)
DAY = timedelta(days=1)
AGES = (0.0, 0.4, 3.0, 24.9, 25.1, 40.0, -0.1)  # days; the last one was written by a wrong clock
URGENCIES = (0.0, 0.001, 0.5, 20.0)


@pytest.mark.django_db
def test_turn_has_the_same_order_in_sql():
    for age in AGES:
        for urgency in URGENCIES:
            make_price(make_release(), 1000, observed_at=NOW - age * DAY, urgency=urgency)
    prices = list(ReleasePrice.objects.order_by(*by_turn(NOW, price=""), "pk"))
    turns = [turn_of(price.observed_at, price.urgency, now=NOW) for price in prices]
    assert [turn[0] for turn in turns] == sorted(turn[0] for turn in turns)
    assert [turn[1] for turn in turns] == pytest.approx([turn[1] for turn in sorted(turns)])
    assert len(turns) == len(AGES) * len(URGENCIES)


def test_turn_puts_new_before_overdue_before_index():
    never = turn_of(None, 0, now=NOW)
    older, old = (turn_of(NOW - days * DAY, 0, now=NOW) for days in (28, 26))
    urgent, calm = (turn_of(NOW - DAY, urgency, now=NOW) for urgency in (2, 1))
    assert never < older < old < urgent < calm


@pytest.mark.parametrize(
    ("status", "age", "urgency", "worth"),
    [
        ("priced", 2, 0.6, True),
        ("priced", 2, 0.4, False),
        ("priced", 26, 0.0, True),
        ("none_for_sale", 2, 0.4, False),
        ("blocked", 8, 0.0, True),
        ("gone", 8, 0.0, True),
    ],
)
def test_threshold_spares_what_has_its_own_rhythm(status, age, urgency, worth):
    turn = turn_of(NOW - age * DAY, urgency, now=NOW)
    assert is_worth_a_request(status, turn, threshold=1.0) is worth


def alike(age: float, urgency: float, hours: int = 24) -> Alike:
    return Alike.of(age_days=age, urgency=urgency, interval_hours=hours)


def test_threshold_is_zero_if_intervals_fit():
    demand = Counter({alike(3, 1.0): 900})
    assert threshold_for(demand, allowed_per_day=1000) == 0
    assert wanted_per_day(demand) == 900


@pytest.mark.parametrize("hours", [6, 12, 24, 168])
def test_threshold_is_where_reads_equal_the_limit(hours):
    demand = Counter(
        {alike(age / 2, urgency / 10, hours): 7 for age in range(50) for urgency in range(1, 30)}
    )
    allowed = 0.3 * sum(each.reads(0) * count for each, count in demand.items())
    threshold = threshold_for(demand, allowed_per_day=allowed)

    def reads(at: float) -> int:
        return sum(each.reads(at) * count for each, count in demand.items())

    assert threshold > 0
    assert reads(threshold * 1.001) <= 0.9 * allowed <= reads(threshold * 0.999)


def test_threshold_leaves_room_for_the_overdue():
    urgent = Counter(alike(2, urgency / 100) for urgency in range(1, 1001))
    without = threshold_for(urgent, allowed_per_day=600)
    beside = threshold_for(urgent + Counter({alike(26, 0): 300}), allowed_per_day=600)
    assert beside > without > 0


def test_reads_of_a_daily_run_come_at_whole_days():
    assert [alike(age, 1.0).reads(3.0) for age in (0.5, 1.5, 1.9, 2.0, 2.5, 3.5)] == [0, 0, 0, 1, 1, 1]
    assert alike(0.5, 100).reads(1.0) == 1
    assert alike(0.5, 100, hours=6).reads(1.0) == 4
    assert [alike(age, 100, hours=168).reads(1.0) for age in (0, 5.5, 6.5)] == [0, 0, 1]
    assert [alike(age, 0).reads(1.0) for age in (23, 23.5, 24, 25)] == [0, 0, 1, 1]


@given(
    st.floats(0, 40), st.floats(0, 100), st.sampled_from([6, 12, 24, 168]), st.floats(0, 50), st.floats(0, 50)
)
def test_reads_fall_as_the_threshold_grows(age, urgency, hours, threshold, more):
    each = alike(age, urgency, hours)
    assert 0 <= each.reads(threshold + more) <= each.reads(threshold) <= 24 / hours + 1e-9 or hours > 24


def test_turn_of_a_future_reading_is_never_fetched():
    assert turn_of(NOW + DAY, 1.0, now=NOW)[0] < BY_INDEX
