"""Lines the server draws: scale, gaps, lone values."""

import pytest

from pricing.pages.linechart import (
    HEIGHT,
    MAX_TICKS,
    WIDTH,
    day_chart,
    line_chart,
    round_above,
    scale_of,
    ticks_between,
)


@pytest.mark.parametrize(
    ("value", "top"),
    [(0, 1), (0.3, 1), (1, 1), (1.1, 1.2), (9, 10), (10, 10), (57, 60), (60, 60), (61, 80), (2430, 2500)],
)
def test_scale_ends_at_a_round_number(value, top):
    assert round_above(value) == pytest.approx(top)


def test_line_spans_the_width_upside_down():
    (line,) = line_chart({"requests": [0, 30, 60]}).lines
    assert line.paths == (f"M0.0 {HEIGHT:.1f}L{WIDTH / 2:.1f} {HEIGHT / 2:.1f}L{WIDTH:.1f} 0.0",)
    assert line.last == 60


def test_lines_of_one_chart_share_their_scale():
    chart = line_chart({"most": [100, 100], "average": [50, 50]})
    assert chart.top == 100
    assert chart.lines[1].paths == (f"M0.0 {HEIGHT / 2:.1f}L{WIDTH:.1f} {HEIGHT / 2:.1f}",)


def test_unknown_value_breaks_the_line():
    (line,) = line_chart({"average": [1, 1, None, 1, 1]}).lines
    assert len(line.paths) == 2


def test_lone_value_is_a_dot():
    (line,) = line_chart({"average": [None, 1, None]}).lines
    assert line.paths == (f"M{WIDTH / 2:.1f} 0.0L{WIDTH / 2:.1f} 0.0",)
    assert line.last is None


@pytest.mark.parametrize("values", [[], [None, None]])
def test_without_values_nothing_is_drawn(values):
    chart = line_chart({"average": values})
    assert chart.is_empty
    assert chart.top == 1


def test_zeros_are_drawn():
    assert not line_chart({"requests": [0, 0]}).is_empty


# Over days -------------------------------------------------------------------------------------------


def test_days_are_placed_by_their_time():
    chart = day_chart([0, 30, 100], [1000, 2000, 2000])
    (path,) = chart.paths
    top, bottom = (f"{chart.y(value):.1f}" for value in (2000, 1000))
    assert path == f"M0.0 {bottom}L{WIDTH * 0.3:.1f} {top}L{WIDTH:.1f} {top}"
    assert (chart.last, chart.dot) == (2000, f"M{WIDTH:.1f} {top}L{WIDTH:.1f} {top}")


def test_gap_between_days_stays_open():
    chart = day_chart([0, 1, 2, 3, 4], [5, 6, None, 7, None])
    assert (len(chart.paths), len(chart.dots)) == (1, 1)
    assert chart.last == 7
    assert chart.dots == (chart.dot,)


@pytest.mark.parametrize("values", [[], [None, None]])
def test_days_without_values_have_no_scale(values):
    chart = day_chart(list(range(len(values))), values)
    assert (chart.paths, chart.dots, chart.ticks, chart.last, chart.dot) == ((), (), (), None, "")


def test_single_day_is_a_dot():
    assert day_chart([7], [500]).dots == (f"M0.0 {HEIGHT / 2:.1f}L0.0 {HEIGHT / 2:.1f}",)


def test_many_days_take_one_point_per_unit():
    days = list(range(3 * 365))
    (path,) = day_chart(days, days).paths
    assert path.count("L") <= WIDTH
    assert path.endswith(f"L{WIDTH:.1f} {day_chart(days, days).y(days[-1]):.1f}")


@pytest.mark.parametrize(
    ("lowest", "highest", "scale"),
    [
        (1000, 2000, (860, 2140)),
        (100, 2000, (0, 2266)),
        (500, 500, (450, 550)),
        (5, 5, (4, 6)),
        (0, 0, (0, 1)),
        (1, 1, (0, 2)),
        (3, 4, (2, 5)),
    ],
)
def test_scale_leaves_room_and_is_never_negative(lowest, highest, scale):
    assert scale_of(lowest, highest) == scale


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (860, 2140, (1000, 1500, 2000)),
        (0, 1, (0, 1)),
        (4, 6, (4, 5, 6)),
        (0, 2266, (0, 1000, 2000)),
        (112_000, 131_000, (115_000, 120_000, 125_000, 130_000)),
    ],
)
def test_ticks_are_few_and_round(low, high, ticks):
    assert ticks_between(low, high) == ticks
    assert len(ticks) <= MAX_TICKS


def test_tick_beside_the_last_value_is_near():
    chart = day_chart([0, 1, 2], [1000, 2000, 1950])
    assert chart.is_near_last(2000)
    assert not chart.is_near_last(1000)
