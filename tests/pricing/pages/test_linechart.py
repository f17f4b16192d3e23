"""Lines the server draws: scale, gaps, lone values."""

import pytest

from pricing.pages.linechart import HEIGHT, WIDTH, line_chart, round_above


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
