"""Parse the price a user wrote into a field called "Paid". Pure."""

import re
from decimal import Decimal
from typing import NamedTuple

from collections_app.currencies import CODES, minor_units
from collections_app.discogs.payloads import MAX_AMOUNT

# As Discogs itself writes them; there a bare $ means the US dollar.
SYMBOLS = {
    "$": "USD", "US$": "USD", "CA$": "CAD", "C$": "CAD", "A$": "AUD", "AU$": "AUD", "NZ$": "NZD", "MX$": "MXN",
    "R$": "BRL", "€": "EUR", "EURO": "EUR", "£": "GBP", "¥": "JPY", "￥": "JPY", "R": "ZAR",
    "FR.": "CHF", "SFR.": "CHF",
}  # fmt: skip
_UNIT = "|".join(re.escape(word) for word in sorted([*SYMBOLS, *CODES], key=len, reverse=True))
_PAID = re.compile(
    rf"(?P<before>{_UNIT})?\s*(?P<number>\d[\d.,'’\s]*?)(?P<whole>[.,][-–])?\s*(?P<after>{_UNIT})?",
    re.IGNORECASE | re.ASCII,
)
# Digits, optionally in groups of three, then one or two decimals after the other mark, and an optional 0 without value.
# No group follows a leading 0: "0.500" is a half, and "0,125" is not an amount, since there are no half cents.
_NUMBER = re.compile(
    r"(?P<whole>[1-9]\d{0,2}(?:(?P<group>[.,'’\s])\d{3})(?:(?P=group)\d{3})*|\d+)"
    r"(?:(?!(?P=group))[.,](?P<cents>\d{1,2})0?)?",
    re.ASCII,
)
MAX_LENGTH = 40  # characters; a longer text is prose


class Paid(NamedTuple):
    """An amount in minor units; without a currency, in hundredths of the one the owner has in mind."""

    minor: int
    currency: str


def parse_paid(text: str) -> Paid | None:
    """The amount in a text such as "€12.50", "1.234,56 EUR" or "20"; None for anything else.

    A mark before three digits separates thousands: "1,234" is over a thousand.
    """
    text = " ".join(text.split())  # users and their software write spaces of every width
    found = _PAID.fullmatch(text) if len(text) <= MAX_LENGTH else None
    if found is None:
        return None
    units = {_currency(unit) for unit in (found["before"], found["after"]) if unit}
    amount = _amount(found["number"].strip())
    if amount is None or len(units) > 1 or amount > MAX_AMOUNT:
        return None
    currency = units.pop() if units else ""
    return Paid(minor_units(amount, currency), currency)


def _amount(text: str) -> Decimal | None:
    number = _NUMBER.fullmatch(text)
    if number is None:
        return None
    digits = re.sub(r"\D", "", number["whole"])
    return Decimal(f"{digits}.{number['cents'] or 0}")


def _currency(unit: str) -> str:
    word = unit.upper()
    return SYMBOLS.get(word, word)
