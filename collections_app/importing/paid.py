"""Parse the price a user wrote into a field called "Paid". Pure."""

import re
from decimal import Decimal
from typing import NamedTuple

from collections_app.currencies import CODES, minor_units
from collections_app.discogs.payloads import MAX_AMOUNT

# As Discogs itself writes them; there a bare $ means the US dollar, unless the text names another dollar.
SYMBOLS = {
    "$": "USD", "US$": "USD", "CA$": "CAD", "C$": "CAD", "CAN$": "CAD", "CDN$": "CAD", "A$": "AUD", "AU$": "AUD",
    "NZ$": "NZD", "MX$": "MXN", "R$": "BRL", "€": "EUR", "EURO": "EUR", "EUROS": "EUR", "£": "GBP", "¥": "JPY",
    "￥": "JPY", "R": "ZAR", "FR.": "CHF", "SFR.": "CHF",
}  # fmt: skip
WITH_DOLLAR_SIGN = {"USD", "CAD", "AUD", "NZD", "MXN", "BRL"}
# People write a space before the sign too, as in "US $20".
_WORDS = [
    re.escape(word).replace(r"\$", r"\s?\$") for word in sorted([*SYMBOLS, *CODES], key=len, reverse=True)
]
_UNIT = re.compile("|".join(_WORDS), re.IGNORECASE | re.ASCII)
_PAID = re.compile(
    rf"(?P<before>(?:(?:{_UNIT.pattern})\s*){{0,2}})(?P<number>[\d.,][\d.,'’\s]*?)(?P<whole>[.,][-–])?"
    rf"(?P<after>(?:\s*(?:{_UNIT.pattern})){{0,2}})",
    re.IGNORECASE | re.ASCII,
)
# Digits, optionally in groups of three, then one or two decimals after the other mark, and an optional 0 without value.
# No group follows a leading 0: "0.500" is a half, and "0,125" is not an amount, since there are no half cents. A number
# may begin with its mark: ".99".
_NUMBER = re.compile(
    r"(?P<whole>[1-9]\d{0,2}(?:(?P<group>[.,'’\s])\d{3})(?:(?P=group)\d{3})*|\d+)"
    r"(?:(?!(?P=group))[.,](?P<cents>\d{1,2})0?)?"
    r"|[.,](?P<only_cents>\d{1,2})",
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
    units = _currencies(found["before"] + " " + found["after"])
    amount = _amount(found["number"].strip())
    if amount is None or len(units) > 1 or amount > MAX_AMOUNT:
        return None
    currency = units.pop() if units else ""
    return Paid(minor_units(amount, currency), currency)


def _amount(text: str) -> Decimal | None:
    number = _NUMBER.fullmatch(text)
    if number is None:
        return None
    digits = re.sub(r"\D", "", number["whole"] or "0")
    return Decimal(f"{digits}.{number['cents'] or number['only_cents'] or 0}")


def _currencies(text: str) -> set[str]:
    """The currencies that are named. A bare $ beside a currency that uses it, as in "$20 AUD", adds nothing."""
    words = ["".join(word.split()).upper() for word in _UNIT.findall(text)]
    named = {SYMBOLS.get(word, word) for word in words if word != "$"}
    return named if named & WITH_DOLLAR_SIGN or "$" not in words else named | {"USD"}
