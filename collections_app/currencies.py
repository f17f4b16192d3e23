"""The currencies of Discogs: their codes, decimal digits and names. Pure.

Symbols depend on the locale and are Babel's.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal


@dataclass(frozen=True, slots=True)
class Currency:
    """`digits` is the number of decimals of the minor unit."""

    code: str  # ISO 4217
    name: str
    digits: int = 2


_TABLE = (
    Currency("USD", "US dollar"),
    Currency("GBP", "Pound sterling"),
    Currency("EUR", "Euro"),
    Currency("CAD", "Canadian dollar"),
    Currency("AUD", "Australian dollar"),
    Currency("JPY", "Japanese yen", digits=0),
    Currency("CHF", "Swiss franc"),
    Currency("MXN", "Mexican peso"),
    Currency("BRL", "Brazilian real"),
    Currency("NZD", "New Zealand dollar"),
    Currency("SEK", "Swedish krona"),
    Currency("ZAR", "South African rand"),
)
CURRENCIES = {currency.code: currency for currency in _TABLE}
CODES = tuple(CURRENCIES)


def digits_of(code: str) -> int:
    """Decimals of a currency's minor unit; 2 for a code not in the table, such as "" for unknown."""
    return CURRENCIES[code].digits if code in CURRENCIES else 2


def minor_units(value: Decimal, code: str) -> int:
    """Convert an amount to whole minor units of its currency, rounded once, half to even."""
    digits = digits_of(code)
    return int(value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN).scaleb(digits))
