"""The estimator of a price's variance per day, the priors of classes, and the index."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.precision.classes import Members, key_of, percentile, priors_of
from pricing.precision.estimator import Learned, index, learn, share_squared, urgency, variance_per_day

PRICES = st.integers(0, 10**9)


def test_learn_adds_squared_change_and_days():
    known = learn(Learned(), before_minor=1000, after_minor=1500, days=2)
    assert known == pytest.approx((math.log(1.5) ** 2, 2))


def test_learn_fades_by_half_in_180_days():
    known = learn(Learned(0.8, 40), before_minor=1000, after_minor=1000, days=180)
    assert known == pytest.approx((0.4, 200))


@pytest.mark.parametrize("after", [3001, 100_000, 333, 1, 0])
def test_learn_caps_a_change_at_factor_three(after):
    known = learn(Learned(), before_minor=1000, after_minor=after, days=1)
    assert known.s2 == pytest.approx(math.log(3) ** 2)


@pytest.mark.parametrize("days", [0, -1, -400])
def test_learn_ignores_a_clock_that_went_back(days):
    assert learn(Learned(0.1, 5), before_minor=1000, after_minor=2000, days=days) == (0.1, 5)


@given(PRICES, PRICES, st.floats(0.001, 4000))
def test_learn_is_symmetric_and_finite(before, after, days):
    up = learn(Learned(0.1, 5), before_minor=before, after_minor=after, days=days)
    down = learn(Learned(0.1, 5), before_minor=after, after_minor=before, days=days)
    assert up == pytest.approx(down)
    assert all(map(math.isfinite, up))


def test_variance_is_the_prior_until_learned():
    assert variance_per_day(Learned(), prior=0.01) == pytest.approx(0.01)
    assert variance_per_day(Learned(0, 3000), prior=0.01) == pytest.approx(0.01 / 101)


@pytest.mark.parametrize("every", [1, 7, [1, 9, 2, 30]], ids=["daily", "weekly", "irregular"])
def test_variance_is_right_for_any_visits(every):
    """The market moves by 0.05 a day at random: 0.0025 a day, whatever the days between the readings."""
    draw, known, level, days = random.Random(1), Learned(), 0.0, 0
    gaps = [every] if isinstance(every, int) else every
    for number in range(3000 // sum(gaps) * len(gaps)):
        gap = gaps[number % len(gaps)]
        moved = sum(draw.gauss(0, 0.05) for _ in range(gap))
        known = learn(
            known,
            before_minor=round(1e6 * math.exp(level)),
            after_minor=round(1e6 * math.exp(level + moved)),
            days=gap,
        )
        level, days = level + moved, days + gap
    assert variance_per_day(known, prior=0.0025) == pytest.approx(0.0025, rel=0.25)


@pytest.mark.parametrize(
    ("listings", "price", "key"),
    [
        (None, 0, (0, 0)),
        (0, 499, (0, 0)),
        (1, 500, (1, 1)),
        (2, 999, (1, 1)),
        (3, 1000, (2, 2)),
        (9, 2499, (2, 2)),
        (10, 2500, (3, 3)),
        (29, 9999, (3, 3)),
        (30, 10_000, (4, 4)),
        (9999, 10**9, (4, 4)),
    ],
)
def test_class_follows_listings_and_price(listings, price, key):
    assert key_of(listings, price) == key


def test_priors_lean_on_all_releases():
    classes = {(1, 1): Members(), (2, 2): Members()}
    classes[1, 1].add(600, Learned(3.0, 100))
    classes[2, 2].add(1500, Learned(0.0, 100))
    overall = (300 * 0.004 + 3) / 500
    priors = priors_of(classes, default=0.004)
    assert priors[1, 1].variance == pytest.approx((3 + 300 * overall) / 400)
    assert priors[2, 2].variance == pytest.approx(300 * overall / 400)


def test_percentile_is_a_price_that_occurs():
    prices = list(range(1, 11))
    assert [percentile(prices, share) for share in (0, 0.1, 0.5, 0.9, 1)] == [1, 2, 6, 10, 10]


def test_share_of_an_empty_total_is_nothing():
    assert share_squared(1, 1000, 0) == 0
    assert share_squared(2, 1000, 4000) == pytest.approx(0.25)


@given(st.floats(0, 1e4), st.floats(0, 1e4), st.floats(0, 10), st.floats(0, 10))
def test_index_grows_with_each_factor(age, older, weight, more):
    base = index(age, urgency(weight, 0.01))
    assert index(age + older, urgency(weight, 0.01)) >= base
    assert index(age, urgency(weight + more, 0.01)) >= base
    assert index(age, urgency(weight, 0.01 + more)) >= base
