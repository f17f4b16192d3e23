"""What people write into "Paid", as an amount."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.importing.paid import parse_paid


@pytest.mark.parametrize(
    ("text", "minor", "currency"),
    [
        ("20", 2000, ""),
        ("12,5", 1250, ""),
        ("0", 0, ""),
        ("€12.50", 1250, "EUR"),
        ("12.50 eur", 1250, "EUR"),
        ("1.234,56 €", 123456, "EUR"),
        ("$1,234.56", 123456, "USD"),
        ("1,234", 123400, ""),
        ("1 234,50 EUR", 123450, "EUR"),
        ("1'234.50 CHF", 123450, "CHF"),
        ("USD 20", 2000, "USD"),
        ("CA$5", 500, "CAD"),
        ("A$ 5", 500, "AUD"),
        ("¥1,500", 1500, "JPY"),
        ("JPY 1500", 1500, "JPY"),
        ("£5.-", 500, "GBP"),
        ("  € 7  ", 700, "EUR"),
        ("€\xa07", 700, "EUR"),
        ("12,50\xa0€", 1250, "EUR"),
        ("1\u202f234,50 €", 123450, "EUR"),
        ("12,50 Euro", 1250, "EUR"),
        ("C$20", 2000, "CAD"),
        # After a 0 no thousands follow; a third decimal that is 0 adds nothing.
        ("0.500", 50, ""),
        ("0,50", 50, ""),
        ("0,990 €", 99, "EUR"),
        ("12.500", 1250000, ""),
        # A number may begin with its mark.
        ("$.99", 99, "USD"),
        (",50 €", 50, "EUR"),
        ("£.5", 50, "GBP"),
        # A bare $ beside the code of a currency that uses it; signs with a space; the same currency twice.
        ("$20 AUD", 2000, "AUD"),
        ("AUD $20", 2000, "AUD"),
        ("$20 BRL", 2000, "BRL"),
        ("$ 1 234.50 CAD", 123450, "CAD"),
        ("US $20", 2000, "USD"),
        ("20 US $", 2000, "USD"),
        ("a $ 20", 2000, "AUD"),
        ("R $20", 2000, "BRL"),
        ("€20 EUR", 2000, "EUR"),
        ("US$20 USD", 2000, "USD"),
        ("5 euros", 500, "EUR"),
        ("CAN$5", 500, "CAD"),
    ],
)
def test_amount_is_read_with_its_currency(text, minor, currency):
    assert parse_paid(text) == (minor, currency)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "about 10?",
        "-5",
        "20 kr",
        "€5 $6",
        "$20 EUR",
        "€20 USD",
        "$20 CAD AUD",
        "20 - 30",
        "gift",
        "$",
        "$.",
        "$.999",
        "..5",
        "12.",
        "1.2.3",
        "٣",
        "5 for two",
        "9" * 13,
        "1" * 41,
        "12.345.6",
        "0,125",
        "0.999.000",
        "1 2 3",
    ],
)
def test_other_text_is_no_amount(text):
    assert parse_paid(text) is None


@given(st.text(max_size=60))
def test_any_text_is_answered(text):
    paid = parse_paid(text)
    assert paid is None or (0 <= paid.minor <= 1_000_000_000 and len(paid.currency) in (0, 3))
