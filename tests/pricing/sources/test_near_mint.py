"""One number from the suggestions by grade, and its history."""

from datetime import UTC, datetime, timedelta

import pytest

from collections_app.discogs.market_payloads import Suggestion
from collections_app.sandbox.world.market import GRADE_GRID
from pricing.models import NearMintPrice, ReleasePrice
from pricing.sources import near_mint
from pricing.value.cascade import GRID, at_grade
from tests.factories import make_price, make_release

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NM, VERY_GOOD_PLUS = "Near Mint (NM or M-)", "Very Good Plus (VG+)"


def said(**by_grade: int) -> tuple[int, str] | None:
    grades = {"mint": "Mint (M)", "nm": NM, "vgp": VERY_GOOD_PLUS, "poor": "Poor (P)", "other": "Sealed"}
    return near_mint.near_mint_of(
        [Suggestion(grades[name], "GBP", amount) for name, amount in by_grade.items()]
    )


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({}, None),
        ({"other": 500}, None),
        ({"poor": 100, "vgp": 1000, "nm": 1701, "mint": 1900}, 1701),
        ({"poor": 100, "vgp": 1000, "mint": 1901}, 1701),
        ({"poor": 101, "vgp": 1300}, 1700),
        ({"poor": 100}, 1700),
    ],
)
def test_near_mint_is_said_by_the_nearest_grade(found, expected):
    assert said(**found) == (None if expected is None else (expected, "GBP"))


@pytest.mark.parametrize("base", [1, 16, 1001, 99_999])
def test_grades_of_one_base_say_it_again(base):
    for grade, factor in GRID.items():
        found = near_mint.near_mint_of([Suggestion(grade, "USD", at_grade(base, factor))])
        # A grade is rounded to the minor unit, which is a part of its factor of the base.
        assert found is not None
        assert abs(found[0] - base) <= 9 / factor + 1


def test_sandbox_has_the_same_grid():
    assert {grade.partition(" (")[0]: share for grade, share in GRADE_GRID.items()} == GRID


@pytest.fixture
def release(db) -> int:
    return make_price(make_release(discogs_id=11), 500).pk


def told(release: int, *amounts: int | None, every: timedelta = DAY) -> list[tuple[int, int | None]]:
    """The history as (days after the first one, amount) once Discogs has said these amounts, one after another."""
    for number, amount in enumerate(amounts):
        near_mint.store(release, amount, now=NOON + number * every)
    price = ReleasePrice.objects.get(pk=release)
    rows = list(NearMintPrice.objects.order_by("day").values_list("day", "amount_minor"))
    assert (price.near_mint_since, price.near_mint_minor) == rows[-1]
    assert price.near_mint_at == NOON + (len(amounts) - 1) * every
    return [((day - NOON.date()).days, amount) for day, amount in rows]


@pytest.mark.parametrize(
    ("amounts", "history"),
    [
        ((700,), [(0, 700)]),
        ((700, 700, 700), [(0, 700)]),
        ((700, 700, 800, 800, 700), [(0, 700), (2, 800), (4, 700)]),
        ((None, None, 700), [(0, None), (2, 700)]),
        ((700, None, None, 700), [(0, 700), (1, None), (3, 700)]),
    ],
)
def test_history_has_a_row_for_each_change(release, amounts, history):
    assert told(release, *amounts) == history


def test_second_change_of_a_day_replaces_the_first(release):
    near_mint.store(release, 600, now=NOON - DAY)
    assert told(release, 700, 800, every=HOUR) == [(-1, 600), (0, 800)]


def test_change_taken_back_on_its_day_leaves_no_row(release):
    near_mint.store(release, 600, now=NOON - DAY)
    assert told(release, 700, 600, every=HOUR) == [(-1, 600)]


def test_change_taken_back_on_the_first_day_stays(release):
    assert told(release, 700, 800, 700, every=HOUR) == [(0, 700)]


def test_rows_of_a_clock_that_was_ahead_go(release):
    near_mint.store(release, 600, now=NOON + 9 * DAY)
    assert told(release, 700) == [(0, 700)]


def test_history_of_another_release_stays(release):
    other = make_price(make_release(), 500).pk
    near_mint.store(other, 600, now=NOON)
    near_mint.store(release, 700, now=NOON)
    assert NearMintPrice.objects.get(release=other).amount_minor == 600


def test_release_without_price_is_skipped(db):
    near_mint.store(make_release().pk, 600, now=NOON)
    assert not NearMintPrice.objects.exists()
