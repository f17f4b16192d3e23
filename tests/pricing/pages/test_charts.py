from datetime import date, timedelta

import pytest

from pricing.pages.charts import (
    ALL,
    RANGES,
    Change,
    chart_data,
    choose,
    copies_moved,
    epoch,
    fits,
    pills,
    sparkline,
    start_of,
    thinned,
)

TODAY = date(2026, 11, 23)


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)


@pytest.mark.parametrize(
    ("key", "history_days", "chosen"),
    [
        ("3m", 400, "3m"),
        ("3m", 40, "all"),
        ("1m", 40, "1m"),
        ("1y", 364, "all"),
        ("1y", 365, "1y"),
        ("ytd", 400, "ytd"),
        ("ytd", 100, "all"),
        ("nonsense", 400, "3m"),
        ("", 400, "3m"),
    ],
)
def test_range_beyond_history_becomes_all(key, history_days, chosen):
    assert choose(key, today=TODAY, first_day=days_ago(history_days)).key == chosen


def test_without_history_only_all_is_offered():
    assert [pill.span for pill in pills(ALL, today=TODAY, first_day=None) if pill.is_enabled] == [ALL]
    assert start_of(ALL, today=TODAY, first_day=None) == TODAY


def test_every_range_fits_a_long_history():
    assert all(fits(span, today=TODAY, first_day=days_ago(1000)) for span in RANGES)


@pytest.mark.parametrize(
    ("then", "now", "difference", "percent", "direction"),
    [
        (100, 150, 50, 50.0, "up"),
        (150, 75, -75, -50.0, "down"),
        (10, 10, 0, 0.0, "flat"),
        (0, 10, 10, None, "up"),
        (10_000, 10_005, 5, 0.05, "up"),
        (10_000, 10_004, 4, 0.04, "flat"),
        (10_000, 9_996, -4, -0.04, "flat"),
        (10_000, 9_994, -6, -0.06, "down"),
    ],
)
def test_change_has_size_share_and_direction(then, now, difference, percent, direction):
    change = Change(then, now)
    assert (change.difference, change.percent, change.direction) == (difference, percent, direction)


@pytest.mark.parametrize("moved", [(137, 0), (0, 2), (3, 3)])
def test_change_of_copies_has_no_percentage(moved):
    change = Change(100, 150, *moved)
    assert (change.difference, change.percent, change.direction) == (50, None, "up")
    assert Change(10_000, 10_004, *moved).direction == "up"
    assert Change(100, 100, *moved).direction == "flat"


@pytest.mark.parametrize(
    ("then", "now", "removed", "moved"),
    [
        (10, 10, 0, (0, 0)),
        (10, 147, 0, (137, 0)),
        (10, 10, 4, (4, 4)),
        (10, 8, 2, (0, 2)),
        (10, 8, 0, (0, 2)),
        (10, 12, 1, (3, 1)),
        (10, 0, 10, (0, 10)),
    ],
)
def test_copies_moved_explain_both_counts(then, now, removed, moved):
    assert copies_moved(then, now, removed=removed) == moved
    assert then + moved[0] - moved[1] == now


def test_reading_without_a_price_is_a_gap():
    data = chart_data([days_ago(2), days_ago(1), TODAY], price=[100, None, 120], wants=[1, 2, 3])
    assert data["price"] == [100, None, 120]
    assert data["wants"] == [1, 2, 3]
    assert data["t"][-1] == epoch(TODAY) == 1795392000


def test_hole_of_over_a_week_stays_open():
    data = chart_data([days_ago(20), days_ago(10), days_ago(3)], price=[1, 2, 3])
    assert data["price"] == [1, None, 2, 3]
    assert data["t"][1] == epoch(days_ago(19))


def test_table_is_thinned_from_the_newest_row():
    assert thinned([1, 2, 3, 4, 5], 3) == [5, 3, 1]
    assert thinned([1, 2], 3) == [2, 1]
    assert thinned([], 3) == []


def test_sparkline_breaks_if_none_for_sale():
    points = [(days_ago(4), 100), (days_ago(3), 200), (days_ago(2), None), (days_ago(1), 100), (TODAY, 200)]
    assert sparkline(points, width=40, height=10, start=days_ago(4)) == [
        "M0.0 10.0L10.0 0.0",
        "M30.0 10.0L40.0 0.0",
    ]


def test_sparkline_omits_values_before_its_start():
    points = [(days_ago(9), 5000), (days_ago(1), 100), (TODAY, 100)]
    assert sparkline(points, width=10, height=10, start=days_ago(1)) == ["M0.0 5.0L10.0 5.0"]


def test_one_reading_makes_no_sparkline():
    assert sparkline([(TODAY, 100)], width=10, height=10, start=days_ago(1)) == []
