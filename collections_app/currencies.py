"""The currencies of Discogs: their codes, decimal digits and names. Pure.

Symbols depend on the locale and are Babel's.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal


@dataclass(frozen=True, slots=True)
class Currency:
    """`digits` is the number of decimals of the minor unit."""

    code: str  # ISO 4217
    number: int  # the same code in digits, of ISO 4217 too; stored, so it never changes
    name: str
    digits: int = 2


_TABLE = (
    Currency("USD", 840, "US dollar"),
    Currency("GBP", 826, "Pound sterling"),
    Currency("EUR", 978, "Euro"),
    Currency("CAD", 124, "Canadian dollar"),
    Currency("AUD", 36, "Australian dollar"),
    Currency("JPY", 392, "Japanese yen", digits=0),
    Currency("CHF", 756, "Swiss franc"),
    Currency("MXN", 484, "Mexican peso"),
    Currency("BRL", 986, "Brazilian real"),
    Currency("NZD", 554, "New Zealand dollar"),
    Currency("SEK", 752, "Swedish krona"),
    Currency("ZAR", 710, "South African rand"),
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
