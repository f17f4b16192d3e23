"""Converting amounts, and which rates are believed. Pure."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.currencies import CODES, digits_of
from pricing.money.convert import MICROS, Rate, convert, is_plausible, rate_between

NOW = datetime(2027, 3, 28, 12, tzinfo=UTC)
rates = st.integers(50_000, 10_000 * MICROS).map(lambda micros: Decimal(micros) / MICROS)
amounts = st.integers(-(10**15), 10**15)
currencies = st.sampled_from(CODES)


def rate(per_usd: str | Decimal, currency: str = "EUR", *, ago: timedelta = timedelta(0)) -> Rate:
    return Rate(currency, Decimal(per_usd), NOW - ago)


@pytest.mark.parametrize(
    ("minor", "currency", "per_usd", "converted"),
    [
        (10_000, "EUR", "0.913743", 9_137),
        (10_000, "JPY", "151.268316", 15_127),
        (1, "JPY", "151.268316", 2),
        (0, "GBP", "0.784317", 0),
        (-5_680, "GBP", "0.784317", -4_455),
        (1, "EUR", "0.5", 0),  # half to even: down …
        (3, "EUR", "0.5", 2),  # … and up
        (-1, "EUR", "0.5", 0),
        (50, "JPY", "1", 0),
        (150, "JPY", "1", 2),
        (9_223_372_036_854_775_807, "MXN", "18.612047", 171_665_833_848_426_819_494),
    ],
)
def test_convert_is_exact_and_rounds_once(minor, currency, per_usd, converted):
    assert convert(minor, rate(per_usd, currency)) == converted


@given(minor=amounts, per_usd=rates, currency=currencies)
def test_convert_back_is_off_by_half_a_unit(minor, per_usd, currency):
    converted = convert(minor, rate(per_usd, currency))
    one = Decimal(10) ** (2 - digits_of(currency)) / per_usd  # in US cents
    assert abs(converted * one - minor) <= one / 2 + Decimal("1e-6")


@given(first=amounts, second=amounts, per_usd=rates, currency=currencies)
def test_convert_keeps_order_and_sign(first, second, per_usd, currency):
    low, high = sorted((first, second))
    assert convert(low, rate(per_usd, currency)) <= convert(high, rate(per_usd, currency))
    assert convert(-first, rate(per_usd, currency)) == -convert(first, rate(per_usd, currency))


@given(minor=amounts, currency=currencies.filter(lambda code: code != "JPY"))
def test_rate_of_one_changes_nothing(minor, currency):
    assert convert(minor, rate("1", currency)) == minor


@given(usd=st.decimals("0.01", "10000", places=9), per_usd=rates)
def test_two_prices_give_a_rate(usd, per_usd):
    found = rate_between(usd, usd * per_usd)
    assert found is not None
    assert abs(found - per_usd) <= Decimal("0.000001")


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "-Infinity", "0", "-3.5"])
def test_missing_price_gives_no_rate(bad):
    assert rate_between(Decimal(bad), Decimal(1)) is None
    assert rate_between(Decimal(1), Decimal(bad)) is None


@pytest.mark.parametrize(
    ("per_usd", "before", "ago", "is_believed"),
    [
        ("0.91", None, 0, True),
        ("151.2", None, 0, True),
        ("0.04", None, 0, False),
        ("10001", None, 0, False),
        ("0", None, 0, False),
        ("1.08", "0.9", 1, True),  # 20 %, and a little more
        ("1.0801", "0.9", 1, False),
        ("0.72", "0.9", 1, True),
        ("0.7199", "0.9", 1, False),
        ("0.7199", "0.9", 7, False),
        ("0.7199", "0.9", 8, True),  # too long ago to argue with
        ("0.04", "0.9", 8, False),
    ],
)
def test_rate_is_accepted_near_the_last_one(per_usd, before, ago, is_believed):
    last = rate(before, ago=timedelta(days=ago)) if before else None
    assert is_plausible(Decimal(per_usd), before=last, now=NOW) is is_believed


def test_missing_rate_is_not_accepted():
    assert is_plausible(None, before=None, now=NOW) is False


@given(usd=st.decimals("1e-9", "1e7"), other=st.decimals("1e-9", "1e7"))
def test_any_two_prices_are_handled(usd, other):
    found = rate_between(usd, other)
    assert found is not None
    assert is_plausible(found, before=rate("1"), now=NOW) is (Decimal("0.8") <= found <= Decimal("1.2"))


def test_rate_is_old_after_seven_days():
    assert not rate("1", ago=timedelta(days=7)).is_old(NOW)
    assert rate("1", ago=timedelta(days=7, seconds=1)).is_old(NOW)
