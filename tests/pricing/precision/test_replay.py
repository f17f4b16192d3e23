"""Planted wrong figures in a made market: what is held back, what that costs and what it leaves of a total."""

from statistics import mean

import pytest

from tests.pricing.precision.made_market import DAY, replay


@pytest.mark.parametrize("every", [DAY, 5 * DAY], ids=["daily", "every five days"])
@pytest.mark.parametrize("seed", [1, 2])
def test_planted_figures_are_held_back(seed, every):
    figures = replay(seed, every=every)
    assert figures.share("planted") >= 0.95
    assert figures.share("honest") < 0.01
    # A total lacks what is held back, one copy in a hundred; of the rest it is right.
    assert mean(figures.errors) <= 0.02 < mean(figures.naive_errors)
    assert mean(figures.counted_errors) <= 0.005


def test_reading_again_costs_few_requests():
    asked, without = (
        sum(replay(seed, every=5 * DAY, reads_again=again).readings.total() for seed in range(1, 5))
        for again in (True, False)
    )
    assert without < asked <= 1.01 * without
