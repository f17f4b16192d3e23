"""The value of one copy: which figure counts, and what it is worth by its grade."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.value.cascade import (
    FACTORS,
    GRID,
    Basis,
    CopyFacts,
    Evidence,
    Source,
    at_grade,
    factor_of,
    value_of_copy,
)
from pricing.value.freshness import PRICED, Freshness

FLOOR, GRADE = Basis.FLOOR, Basis.GRADE
VG_PLUS = "Very Good Plus (VG+)"

# A copy at $12.00 at the lowest listing, by grade $26.00 of $34.00 in Near Mint, and $50.00 by its owner.
CASES = [
    # state, own, grade, near mint, left out → on either basis (amount, source, evidence)
    ((Freshness.FRESH, None, VG_PLUS, None, False), (1200, "floor", "L2"), (1200, "floor", "L2")),
    ((Freshness.FRESH, None, VG_PLUS, 3400, False), (1200, "floor", "L2"), (2600, "grade", "L2")),
    ((Freshness.FRESH, None, "", 3400, False), (1200, "floor", "L2"), (1200, "floor", "L2")),
    ((Freshness.FRESH, None, "as new", 3400, False), (1200, "floor", "L2"), (1200, "floor", "L2")),
    ((Freshness.FRESH, 5000, VG_PLUS, 3400, False), (5000, "own", "own"), (5000, "own", "own")),
    ((Freshness.CARRIED, None, "", None, False), (1200, "carried", "L3"), (1200, "carried", "L3")),
    ((Freshness.CARRIED, None, VG_PLUS, 3400, False), (1200, "carried", "L3"), (2600, "grade", "L2")),
    ((Freshness.NONE_FOR_SALE, None, VG_PLUS, 3400, False), (None, "none", ""), (2600, "grade", "L2")),
    ((Freshness.EXPIRED, None, VG_PLUS, 3400, False), (None, "none", ""), (2600, "grade", "L2")),
    ((Freshness.QUARANTINED, None, VG_PLUS, 3400, False), (None, "none", ""), (2600, "grade", "L2")),
    ((Freshness.GONE, None, VG_PLUS, 3400, False), (None, "none", ""), (None, "none", "")),
    ((Freshness.LEFT_OUT, None, VG_PLUS, 3400, True), (None, "none", ""), (None, "none", "")),
    ((Freshness.LEFT_OUT, 5000, VG_PLUS, 3400, True), (5000, "own", "own"), (5000, "own", "own")),
    ((Freshness.NEVER_FETCHED, None, "", None, False), (None, "none", ""), (None, "none", "")),
    ((Freshness.NEVER_FETCHED, 0, "", None, False), (0, "own", "own"), (0, "own", "own")),
]


@pytest.mark.parametrize(("facts", "by_floor", "by_grade"), CASES)
def test_value_comes_from_the_first_figure_that_exists(facts, by_floor, by_grade):
    state, own, grade, near_mint, is_left_out = facts
    copy = CopyFacts(state, 1200, 5, own, grade, near_mint, is_left_out)
    for basis, expected in ((FLOOR, by_floor), (GRADE, by_grade)):
        value = value_of_copy(copy, basis)
        assert (value.amount_minor, value.source, value.evidence) == expected
        assert value.state == state


@pytest.mark.parametrize(
    ("state", "for_sale", "level"),
    [(Freshness.FRESH, 20, "L1"), (Freshness.FRESH, 19, "L2"), (Freshness.AGEING, 99, "L2")],
)
def test_evidence_is_strong_if_fresh_among_many(state, for_sale, level):
    copy = CopyFacts(state, 1200, for_sale, None, VG_PLUS, 3400)
    assert [value_of_copy(copy, basis).evidence for basis in Basis] == [Evidence(level)] * 2


def test_grid_prices_all_grades_from_one_number():
    assert [at_grade(3400, factor) for factor in GRID.values()] == [
        3800,
        3400,
        2600,
        1800,
        1000,
        600,
        400,
        200,
    ]


@pytest.mark.parametrize(("near_mint", "factor", "amount"), [(1, 19, 1), (1, 9, 1), (1, 8, 0), (100, 13, 76)])
def test_grid_rounds_to_the_nearest_minor_unit(near_mint, factor, amount):
    assert at_grade(near_mint, factor) == amount


def test_grades_are_read_in_full_or_bare():
    assert factor_of("Near Mint (NM or M-)") == factor_of("Near Mint") == 17
    assert [factor_of(text) for text in ("", "good (g)", "Good (very)", "VG+")] == [None] * 4
    assert len(FACTORS) == 2 * len(GRID)


copies = st.builds(
    CopyFacts,
    state=st.sampled_from(Freshness),
    floor_minor=st.integers(0, 10**8),
    num_for_sale=st.none() | st.integers(0, 99),
    own_minor=st.none() | st.integers(0, 10**8),
    grade=st.sampled_from(["", *FACTORS]),
    near_mint_minor=st.none() | st.integers(0, 10**8),
    is_left_out=st.booleans(),
)


@given(copies)
def test_amount_is_known_exactly_with_a_source(copy):
    for basis in Basis:
        value = value_of_copy(copy, basis)
        assert (value.amount_minor is None) == (value.source == Source.NONE)
        if value.source in (Source.FLOOR, Source.CARRIED):
            assert copy.state in PRICED
            assert value.amount_minor == copy.floor_minor


@given(copies)
def test_bases_agree_without_a_suggestion(copy):
    if copy.near_mint_minor is None:
        assert value_of_copy(copy, Basis.FLOOR) == value_of_copy(copy, Basis.GRADE)
