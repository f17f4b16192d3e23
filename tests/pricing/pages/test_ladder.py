"""The ladder of grades: eight grades on Discogs' grid, the lowest listing in its place, each copy in its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.pages.ladder import GUIDES, SHORT, ladder_of
from pricing.value.cascade import GRID

VERY_GOOD_PLUS = "Very Good Plus (VG+)"
GRADES = [f"{grade} ({short})" for grade, short in SHORT.items()]
AMOUNTS = st.integers(min_value=0, max_value=10**9)


def rows(ladder):
    return [(rung.grade or "lowest listing", rung.amount_minor) for rung in ladder.rungs]


def test_ladder_without_suggestion_does_not_exist():
    assert ladder_of(None, lowest_minor=500, grades=[VERY_GOOD_PLUS]) is None


@pytest.mark.parametrize(
    ("lowest_minor", "place"), [(None, None), (100_000, 0), (9000, 3), (8999, 4), (1, 8), (0, 8)]
)
def test_ladder_has_the_lowest_listing_in_its_place(lowest_minor, place):
    ladder = ladder_of(17_000, lowest_minor=lowest_minor, grades=[])
    grades = [row for row in rows(ladder) if row[0] != "lowest listing"]
    assert grades == [(grade, factor * 1000) for grade, factor in GRID.items()]
    found = [at for at, rung in enumerate(ladder.rungs) if rung.is_listing]
    assert found == ([] if place is None else [4 if place == 3 else place])
    assert (ladder.listing is None) == (lowest_minor is None)


def test_ladder_marks_copies_by_their_grade():
    grades = [VERY_GOOD_PLUS, VERY_GOOD_PLUS, "Poor (P)", "", "Generic"]
    ladder = ladder_of(1700, lowest_minor=100, grades=grades)
    assert {rung.short: rung.copies for rung in ladder.rungs if rung.copies} == {"VG+": 2, "P": 1}
    assert ladder.ungraded == 2


@pytest.mark.parametrize(
    ("near_mint_minor", "edges"),
    [(10_000, [("VG+", 5000), ("VG", 2500)]), (101, [("VG+", 51), ("VG", 25)]), (0, [("VG+", 0), ("VG", 0)])],
)
def test_ladder_has_the_guides_rule_as_lower_edge(near_mint_minor, edges):
    ladder = ladder_of(near_mint_minor, lowest_minor=None, grades=[])
    assert [(rung.short, rung.edge_minor) for rung in ladder.edges] == edges
    assert [rung.edge_percent for rung in ladder.edges] == list(GUIDES.values())


@given(AMOUNTS, st.none() | AMOUNTS, st.lists(st.sampled_from([*GRADES, "", "unknown"]), max_size=9))
def test_ladder_descends_within_its_width(near_mint_minor, lowest_minor, grades):
    ladder = ladder_of(near_mint_minor, lowest_minor=lowest_minor, grades=grades)
    amounts = [rung.amount_minor for rung in ladder.rungs]
    assert amounts == sorted(amounts, reverse=True)
    assert [rung.grade for rung in ladder.rungs if not rung.is_listing] == list(GRID)
    assert all(0 <= rung.share <= 100 for rung in ladder.rungs)
    assert all(rung.edge <= rung.share + 100 / max(*amounts, 1) for rung in ladder.edges)
    assert sum(rung.copies for rung in ladder.rungs) + ladder.ungraded == len(grades)
