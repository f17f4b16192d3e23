"""The rules of doubt, as tables."""

from datetime import date, timedelta

import pytest

from pricing.models import Doubt
from pricing.precision.plausibility import Before, agree, doubt_of, is_confirmed

TODAY = date(2026, 3, 1)
YESTERDAY = TODAY - timedelta(days=1)
NONE, JUMP, BELOW = Doubt.NONE, Doubt.JUMP, Doubt.BELOW_SUGGESTION


def doubt(amount, *, for_sale=12, suggested=None, **before):
    return doubt_of(amount, day=TODAY, for_sale=for_sale, suggested_minor=suggested, before=Before(**before))


@pytest.mark.parametrize(
    ("amount", "last", "listings", "expected"),
    [
        (400, 6000, 12, JUMP),
        (6000, 400, 12, JUMP),
        (300, 100, 12, NONE),  # the factor itself is allowed
        (301, 100, 12, JUMP),
        (100, 300, 12, NONE),
        (99, 300, 12, JUMP),
        (6000, 400, 3, JUMP),
        (6000, 400, 2, NONE),
        (6000, 400, None, NONE),
        (6000, None, 12, NONE),  # nothing to compare with
        (0, 1, 12, NONE),
        (0, 4, 12, JUMP),
    ],
)
def test_jump_needs_a_factor_and_listings(amount, last, listings, expected):
    assert doubt(amount, last_minor=last, listings=listings) == expected


@pytest.mark.parametrize(
    ("amount", "suggested", "for_sale", "last", "expected"),
    [
        (100, 1701, 20, None, BELOW),
        (100, 1700, 20, None, NONE),
        (100, 1701, 19, None, NONE),
        (100, 1701, None, None, NONE),
        (100, None, 20, None, NONE),
        (100, 1701, 20, 150, BELOW),
        (100, 1701, 20, 101, BELOW),
        (100, 1701, 20, 100, NONE),  # the last price was as far below
        (100, 99_999, 20, 90, NONE),
    ],
)
def test_suggestion_needs_many_listings(amount, suggested, for_sale, last, expected):
    found = doubt(amount, suggested=suggested, for_sale=for_sale, last_minor=last, listings=12)
    assert found == expected


@pytest.mark.parametrize(
    ("amount", "day", "expected"),
    [
        (400, TODAY, JUMP),
        (400, YESTERDAY, NONE),
        (600, YESTERDAY, NONE),
        (601, YESTERDAY, JUMP),
        (267, YESTERDAY, NONE),
        (266, YESTERDAY, JUMP),
        (6100, YESTERDAY, NONE),  # back at the last price
    ],
)
def test_reading_of_another_day_confirms_a_doubted_one(amount, day, expected):
    before = {"last_minor": 6000, "listings": 1, "doubted_minor": 400, "doubted_on": day}
    assert doubt(amount, **before) == expected


def test_confirmed_reading_passes_the_suggestion_too():
    before = {"doubted_minor": 100, "doubted_on": YESTERDAY}
    assert doubt(100, suggested=5000, for_sale=40, **before) == NONE
    assert doubt(40, suggested=5000, for_sale=40, **before) == BELOW


def test_confirmation_needs_a_doubted_reading():
    assert not is_confirmed(400, day=TODAY, before=Before(last_minor=400))


@pytest.mark.parametrize(("one", "other", "expected"), [(100, 150, True), (151, 100, False), (0, 0, True)])
def test_agreement_is_a_factor_either_way(one, other, expected):
    assert agree(one, other) == agree(other, one) == expected
