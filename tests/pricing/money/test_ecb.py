"""Past amounts in USD, at the reference rates of the European Central Bank that the package holds."""

from datetime import date, timedelta

import pytest

from collections_app.currencies import CODES
from pricing.money.ecb import _rates, usd_minor_on

FRIDAY = date(2014, 3, 28)  # 1 EUR = 1.3759 USD = 140.9 JPY


@pytest.mark.parametrize(
    ("amount", "currency", "usd"),
    [
        (10_000, "EUR", 13_759),
        (10_000, "USD", 10_000),
        (1_409, "JPY", 1_376),  # 10 EUR: a yen has no minor unit
        (0, "EUR", 0),
        (1, "EUR", 1),
    ],
)
def test_amount_is_converted_at_the_rate_of_its_day(amount, currency, usd):
    assert usd_minor_on(FRIDAY, amount, currency) == usd


def test_weekend_has_the_rate_of_friday():
    amounts = [usd_minor_on(FRIDAY + timedelta(days=ahead), 10_000_000, "EUR") for ahead in range(4)]
    assert amounts[0] == amounts[1] == amounts[2] != amounts[3]


def test_day_after_the_last_known_one_has_its_rate():
    last = _rates().bounds["EUR"].last_date
    newest = usd_minor_on(last, 10_000_000, "EUR")
    assert newest == usd_minor_on(last + timedelta(days=4000), 10_000_000, "EUR")


def test_day_before_the_first_known_one_is_unknown():
    assert usd_minor_on(date(1998, 12, 31), 100, "EUR") is None
    first = _rates().bounds["BRL"].first_date
    assert usd_minor_on(first, 100, "BRL") is not None
    assert usd_minor_on(first - timedelta(days=1), 100, "BRL") is None


@pytest.mark.parametrize("currency", ["", "XXX", "TRY", "eur"])
def test_other_currency_is_unknown(currency):
    assert usd_minor_on(FRIDAY, 100, currency) is None


@pytest.mark.parametrize("currency", CODES)
def test_every_currency_of_discogs_has_rates(currency):
    assert usd_minor_on(FRIDAY, 100_000, currency) > 0
