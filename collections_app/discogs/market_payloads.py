"""Parse the JSON of the optional price sources into frozen values. Pure; raises BadPayload for anything unexpected."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from collections_app.currencies import CURRENCIES
from collections_app.discogs.errors import BadPayload
from collections_app.discogs.json_values import clean, read_count, read_object, read_text
from collections_app.discogs.payloads import parse_amount

MAX_GRADE = 40  # characters
MAX_GRADES = 20  # Discogs has eight


@dataclass(frozen=True, slots=True)
class MarketStats:
    """The lowest price in `currency`; None if none is for sale or sale is blocked. `num_for_sale` None: not reported.

    `value` is the price as Discogs wrote it, in units and not rounded: two of them give an exchange rate.
    """

    currency: str
    amount_minor: int | None
    num_for_sale: int | None
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The price Discogs suggests for one media grade, in minor units of the requesting account's selling currency."""

    grade: str
    currency: str
    amount_minor: int


def parse_market_stats(data: Any, *, currency: str) -> MarketStats:
    """Parse `/marketplace/stats/{id}`, requested in `currency`: null and null if sale is blocked."""
    row = read_object(data, "market statistics")
    if "lowest_price" not in row:
        raise BadPayload("Discogs sent no lowest price.")
    listings = read_count(row, "num_for_sale")
    if row["lowest_price"] is None:
        return MarketStats(currency, None, listings, None)
    sent_currency, amount, value = _money(row["lowest_price"])
    if sent_currency != currency:
        raise BadPayload("Discogs answered in another currency than the one asked for.")
    if bool(row.get("blocked_from_sale", False)):
        return MarketStats(currency, None, listings, None)
    return MarketStats(currency, amount, listings, value)


def parse_suggestions(data: Any) -> tuple[Suggestion, ...]:
    """Parse `/marketplace/price_suggestions/{id}`, in Discogs' order of grades; empty when there are none."""
    row = read_object(data, "price suggestions")
    if len(row) > MAX_GRADES:
        raise BadPayload("Discogs sent price suggestions in an unexpected shape.")
    # Keyed by grade: two names may be equal after cleaning.
    found = {_grade(name): _money(value)[:2] for name, value in row.items()}
    return tuple(Suggestion(grade, *money) for grade, money in found.items())


def _grade(name: str) -> str:
    grade = clean(name)
    if not 0 < len(grade) <= MAX_GRADE:
        raise BadPayload("Discogs sent no usable grade.")
    return grade


def _money(value: Any) -> tuple[str, int, Decimal]:
    """A currency, the amount in its minor units, and the amount in units as sent."""
    row: Mapping[str, Any] = read_object(value, "price")
    currency = read_text(row, "currency")
    if currency not in CURRENCIES:
        raise BadPayload("Discogs sent an unknown currency.")
    amount = parse_amount(row.get("value"), currency)
    if amount is None:
        raise BadPayload("Discogs sent a price without its value.")
    return currency, amount, Decimal(row["value"])
