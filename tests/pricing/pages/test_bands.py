"""Charts of bands: the marks of low and high, the days of the axis, the ticks of a low band."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.pages.bands import MAX_DAYS, area_under, axis_days, is_beside_last, marks_of, outer_ticks
from pricing.pages.charts import epoch
from pricing.pages.linechart import HEIGHT, day_chart

LAST = date(2026, 3, 31)


def times_of(*ago: int) -> list[int]:
    return [epoch(LAST - timedelta(days=days)) for days in ago]


def marks(times, values):
    return [
        (mark.name, mark.value, (LAST - mark.day).days, round(mark.x), mark.anchor)
        for mark in marks_of(times, values, day_chart(times, values))
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], []),
        ([None, None], []),
        ([500, None, 500], []),
        ([100, 300, 200], [("low", 100, 100, 0, "start"), ("high", 300, 50, 50, "middle")]),
        ([200, 100, 100, 200], [("low", 100, 20, 80, "middle"), ("high", 200, 0, 100, "end")]),
    ],
)
def test_marks_are_the_newest_low_and_high(values, expected):
    ago = {3: (100, 50, 0), 4: (100, 50, 20, 0)}.get(len(values), (9, 0)[: len(values)])
    assert marks(times_of(*ago), values) == expected


def test_marks_lie_on_the_line():
    times, values = times_of(9, 4, 0), [100, 300, 200]
    chart = day_chart(times, values)
    assert [mark.y for mark in marks_of(times, values, chart)] == [
        chart.share(100) * 100,
        chart.share(300) * 100,
    ]


def test_area_ends_at_the_bottom():
    assert area_under("M30.0 12.5L600.0 7.0") == f"M30.0 12.5L600.0 7.0V{HEIGHT}H30.0Z"


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (0, ["day 31 Mar"]),
        (2, ["day 29 Mar", "day 30 Mar", "day 31 Mar"]),
        (30, ["day 3 Mar", "day 10 Mar", "day 17 Mar", "day 24 Mar", "day 31 Mar"]),
        (120, ["month 1 Dec", "year 1 Jan", "month 1 Feb", "month 1 Mar"]),
        (365, ["month 1 Apr", "month 1 Jul", "month 1 Oct", "year 1 Jan"]),
    ],
)
def test_axis_names_few_days(days, expected):
    found = axis_days(LAST - timedelta(days=days), LAST)
    assert [f"{each.form} {each.day.day} {each.day:%b}" for each in found] == expected


@given(st.integers(min_value=0, max_value=9000))
def test_axis_days_are_few_and_in_order(days):
    found = axis_days(LAST - timedelta(days=days), LAST)
    places = [each.x for each in found]
    assert len(found) <= MAX_DAYS
    assert places == sorted(set(places))
    assert all(0 <= place <= 100 for place in places)
    assert found


@pytest.mark.parametrize(
    ("values", "ticks"), [([5, 6], (4, 7)), ([0, 0], (0, 1)), ([1000, 2000], (1000, 2000))]
)
def test_low_band_has_its_outer_ticks(values, ticks):
    assert outer_ticks(day_chart(times_of(1, 0), values)) == ticks


def test_low_band_leaves_out_the_label_beside_the_last_value():
    chart = day_chart(times_of(1, 0), [1000, 2000])
    assert [is_beside_last(tick, chart) for tick in (1000, 2000)] == [False, True]
