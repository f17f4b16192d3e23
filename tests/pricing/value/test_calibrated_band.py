"""On made markets, what was learned from earlier readings predicts what later ones find, and the 80 % band holds."""

import pytest

from tests.pricing.value.replay import Replay, Temper

# The market of the design, a calmer and more equal one, and a wilder one.
TEMPERS = {
    "usual": Temper(),
    "calm": Temper(jumps_sd=0.6, size_sd=0.3, price_sd=0.8),
    "wild": Temper(jumps=0.15, size=0.25, size_sd=0.6, price_sd=1.3),
}
SEEDS = (1, 2)
WARM_UP, DAYS = 60, 80


@pytest.mark.parametrize("name", TEMPERS)
def test_band_holds_four_days_out_of_five(name):
    inside = days = readings = 0
    z2_sum = 0.0
    for seed in SEEDS:
        replay = Replay(TEMPERS[name], seed)
        for _ in range(WARM_UP):
            replay.step()
        before = replay.sums
        for _ in range(DAYS):
            replay.step()
            bands = replay.bands()
            inside += sum(abs(true - band.total_minor) <= band.half_minor for band, true in bands)
            days += len(bands)
        readings += replay.sums.readings - before.readings
        z2_sum += replay.sums.z2_sum - before.z2_sum
    assert days >= 1_000
    assert 0.9 <= z2_sum / readings <= 1.1
    assert 0.75 <= inside / days <= 0.85
