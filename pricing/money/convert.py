"""Convert amounts from USD to other currencies. Pure: amounts and rates in, amounts out.

Totals are computed in USD and converted once, for display; converted amounts are never stored.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal

from collections_app.currencies import digits_of

PRICE_CURRENCY = "USD"  # `/releases/{id}` always answers in it
# Exact for every possible amount and rate; only the last step rounds.
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_USD_DIGITS = 2
MICROS = 1_000_000
# A rate per USD outside these limits cannot be right: of Discogs' currencies the pound is worth most, the yen least.
MIN_RATE, MAX_RATE = Decimal("0.05"), Decimal(10_000)
MAX_MOVE = Decimal("0.2")
OLD_AFTER = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Rate:
    """Units of a currency for one USD, as used by Discogs at a moment."""

    currency: str
    per_usd: Decimal
    observed_at: datetime

    def is_old(self, now: datetime) -> bool:
        return now - self.observed_at > OLD_AFTER


def convert(amount_minor: int, rate: Rate) -> int:
    """Convert US cents to minor units of the rate's currency, rounded once, half to even."""
    digits = digits_of(rate.currency) - _USD_DIGITS
    exact = _EXACT.multiply(Decimal(amount_minor), rate.per_usd).scaleb(digits, _EXACT)
    return int(exact.to_integral_value(context=_EXACT))


def convert_back(amount_minor: int, rate: Rate) -> int:
    """Convert minor units of the rate's currency to US cents, rounded once, half to even."""
    digits = _USD_DIGITS - digits_of(rate.currency)
    exact = _EXACT.divide(Decimal(amount_minor), rate.per_usd).scaleb(digits, _EXACT)
    return int(exact.to_integral_value(context=_EXACT))


def rate_between(usd: Decimal, other: Decimal) -> Decimal | None:
    """The rate per USD that two prices of one listing imply, to six decimals; None if a price is unusable."""
    if not (usd.is_finite() and other.is_finite() and usd > 0 and other > 0):
        return None
    quotient = _EXACT.divide(other, usd)
    return quotient.quantize(Decimal(1) / MICROS, context=_EXACT) if quotient < MAX_RATE else quotient


def is_plausible(per_usd: Decimal | None, *, before: Rate | None, now: datetime) -> bool:
    """Whether a rate is within the limits and, unless the last rate is old, within MAX_MOVE of it."""
    if per_usd is None or not MIN_RATE <= per_usd <= MAX_RATE:
        return False
    if before is None or before.is_old(now):
        return True
    return abs(per_usd / before.per_usd - 1) <= MAX_MOVE
