"""The cause of a change of value, and that nothing of it is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.daily.index import Basket, chained
from pricing.value.cascade import Basis, CopyFacts, value_of_copy
from pricing.value.change import Part, part_of, split_of
from pricing.value.freshness import Freshness
from tests.pricing.value.test_cascade import VG_PLUS, copies


def held(amount=1200, state=Freshness.FRESH, *, basis=Basis.GRADE, **facts):
    return value_of_copy(CopyFacts(state, amount, **facts), basis)


GRADED = {"grade": VG_PLUS, "near_mint_minor": 3400}
CASES = [
    (held(1200), held(1500), Part.PRICE, 300),
    (held(1200), held(1200), Part.PRICE, 0),
    (held(1200), held(1200, Freshness.CARRIED), Part.PRICE, 0),
    (held(1200, Freshness.CARRIED), held(900), Part.PRICE, -300),
    (None, held(1500), Part.ADDED, 1500),
    (None, held(1500, own_minor=9), Part.ADDED, 9),
    (held(1200), None, Part.REMOVED, -1200),
    (held(state=Freshness.NONE_FOR_SALE), None, Part.REMOVED, 0),
    (held(1200, Freshness.CARRIED), held(state=Freshness.NONE_FOR_SALE), Part.EXPIRED, -1200),
    (held(1200), held(state=Freshness.EXPIRED), Part.EXPIRED, -1200),
    (held(1200), held(state=Freshness.GONE), Part.EXPIRED, -1200),
    (held(1200), held(1200, own_minor=5000), Part.OWN, 3800),
    (held(1200, own_minor=5000), held(1300), Part.OWN, -3700),
    (held(1200, own_minor=5000), held(own_minor=6000), Part.OWN, 1000),
    (held(**GRADED), held(grade="Very Good (VG)", near_mint_minor=3400), Part.OWN, -800),
    (held(**GRADED), held(grade=VG_PLUS, near_mint_minor=1700), Part.PRICE, -1300),
    (held(1200, grade=VG_PLUS), held(1300, **GRADED), Part.COVERAGE, 1400),
    (held(state=Freshness.NEVER_FETCHED), held(1200), Part.COVERAGE, 1200),
    (held(1200), held(9000, Freshness.QUARANTINED), Part.COVERAGE, -1200),
    (held(state=Freshness.QUARANTINED), held(9000), Part.COVERAGE, 9000),
    (held(1200), held(1200, Freshness.LEFT_OUT), Part.COVERAGE, -1200),
    (held(state=Freshness.NONE_FOR_SALE), held(1300), Part.COVERAGE, 1300),
]


@pytest.mark.parametrize(("before", "after", "part", "change"), CASES)
def test_part_of_names_the_cause(before, after, part, change):
    assert part_of(before, after) == (part, change)


pairs = st.lists(st.tuples(st.none() | copies, st.none() | copies), max_size=30)


@given(pairs)
def test_split_has_no_remainder(pairs):
    for basis in Basis:
        moments = [[copy and value_of_copy(copy, basis) for copy in pair] for pair in pairs]
        before, after = (
            sum((pair[end].amount_minor or 0) if pair[end] else 0 for pair in moments) for end in (0, 1)
        )
        assert split_of(moments).total == after - before


@given(pairs, pairs)
def test_splits_add_up(some, others):
    parts = [
        [[copy and value_of_copy(copy, Basis.FLOOR) for copy in pair] for pair in pairs]
        for pairs in (some, others)
    ]
    assert split_of(parts[0]) + split_of(parts[1]) == split_of(parts[0] + parts[1])


@given(pairs, st.lists(copies, max_size=10), st.booleans())
def test_buying_and_selling_never_moves_the_index(pairs, others, are_bought):
    stay = [[copy and value_of_copy(copy, Basis.FLOOR) for copy in pair] for pair in pairs]
    values = [value_of_copy(copy, Basis.FLOOR) for copy in others]
    moved = [(None, value) if are_bought else (value, None) for value in values]
    alone, together = split_of(stay), split_of([*stay, *moved])
    assert (alone.like_minor, alone.price) == (together.like_minor, together.price)


def test_index_chains_the_days():
    baskets = [Basket(1000, 1100), Basket(0, 0), Basket(500, 250)]
    assert list(chained(baskets)) == pytest.approx([110, 110, 55])
