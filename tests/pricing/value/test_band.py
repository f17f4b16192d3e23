import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.value.band import Part, band_of, max_requests, narrowing_of

worths, variances = st.integers(0, 10**8), st.floats(0, 2)
many_parts = st.lists(st.builds(Part, st.integers(1, 10**6), worths, variances), min_size=1, max_size=40)


def parts(*shares):
    """Parts whose worth is uncertain by these standard deviations, in minor units; each is worth 1,000.00."""
    return [Part(number, 100_000, (share / 100_000) ** 2) for number, share in enumerate(shares, start=1)]


@pytest.mark.parametrize(
    ("shares", "scale", "market", "half", "sources"),
    [
        ((1_000,), 1.0, 0.0, 1_280, 1),
        ((3_000, 4_000), 1.0, 0.0, 6_400, 1),
        ((3_000, 4_000), 4.0, 0.0, 12_800, 1),
        ((1_000, 1_000, 1_000, 1_000), 1.0, 0.0, 2_560, 3),  # over half, so two are not enough
        ((0, 0), 1.0, 0.0, 0, 0),
        ((3_000, 0), 1.0, 0.02, 6_400, 1),  # 200,000 x 0.02 = 4,000 beside 3,000
    ],
)
def test_band_is_the_root_of_variances(shares, scale, market, half, sources):
    band = band_of(parts(*shares), scale=scale, market_factor=market)
    assert band.half_minor == pytest.approx(half)
    assert band.sources == sources
    assert band.total_minor == 100_000 * len(shares)


def test_band_without_parts_is_none():
    assert band_of([], scale=1.0) is None


@pytest.mark.parametrize(("half", "shown"), [(499, False), (501, True), (0, False)])
def test_band_below_half_a_percent_is_hidden(half, shown):
    assert band_of(parts(half / 1.28), scale=1.0).is_shown == shown


def test_band_of_nothing_worth_is_hidden():
    assert not band_of([Part(1, 0, 1.0)], scale=1.0).is_shown


def test_band_ends_are_one_figure_away():
    band = band_of(parts(31_450 / 1.28), scale=1.0)
    assert (band.low_minor, band.high_minor) == (70_000, 130_000)


def test_band_never_begins_below_zero():
    assert band_of([Part(1, 100, 9.0)], scale=1.0).low_minor == 0


@given(many_parts, many_parts, st.floats(0.1, 10))
def test_bands_add_up_in_variance(some, others, scale):
    one, other = band_of(some, scale=scale), band_of(others, scale=scale)
    both = band_of(some + others, scale=scale)
    assert both.half_minor == pytest.approx(math.hypot(one.half_minor, other.half_minor))
    assert both.total_minor == one.total_minor + other.total_minor


@given(many_parts)
def test_sources_are_the_fewest_over_half(some):
    shares = sorted((part.squared for part in some), reverse=True)
    number = band_of(some, scale=1.0).sources
    if number:
        assert sum(shares[:number]) > sum(shares) / 2 * (1 - 1e-9)
        assert sum(shares[: number - 1]) <= sum(shares) / 2 * (1 + 1e-9)
    else:
        assert sum(shares) == 0


@pytest.mark.parametrize(
    ("shares", "limit", "requests", "after"),
    [
        ((8_000, 1_000), 100, (1,), 1_280),
        ((1_000, 8_000, 8_000), 100, (2, 3), 1_280),
        ((8_000, 6_000, 0), 1, (1,), 7_680),
        ((5_000,), 100, (1,), 0),
    ],
)
def test_narrowing_takes_the_largest_first(shares, limit, requests, after):
    found = narrowing_of(parts(*shares), scale=1.0, limit=limit)
    assert found.release_ids == requests
    assert found.after_minor == pytest.approx(after, abs=0.01)
    assert found.before_minor == pytest.approx(band_of(parts(*shares), scale=1.0).half_minor)


@pytest.mark.parametrize(("shares", "limit"), [((), 100), ((0, 0), 100), ((1_000,) * 1_000, 100), ((9,), 0)])
def test_narrowing_without_gain_is_none(shares, limit):
    assert narrowing_of(parts(*shares), scale=1.0, limit=limit) is None


@given(many_parts, st.integers(1, 20))
def test_no_other_choice_narrows_more(some, limit):
    some = [Part(number, part.worth_minor, part.variance) for number, part in enumerate(some)]
    found = narrowing_of(some, scale=1.0, limit=limit)
    if found:
        rest = sorted((part.squared for part in some), reverse=True)[found.requests :]
        assert found.after_minor == pytest.approx(
            1.28 * math.sqrt(sum(rest)), rel=1e-6, abs=1e-3 * found.before_minor
        )
        assert found.requests <= limit


@pytest.mark.parametrize(
    ("limit", "seconds", "requests"), [(60, 60, 100), (25, 60, 75), (60, 6, 100), (1, 360, 0)]
)
def test_max_requests_fit_in_minutes(limit, seconds, requests):
    assert max_requests(limit=limit, window_seconds=seconds) == requests
