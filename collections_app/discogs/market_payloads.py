"""Parse the JSON of the optional price sources into frozen values. Pure; raises BadPayload for anything unexpected."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from collections_app.currencies import CODES, CURRENCIES, digits_of
from collections_app.discogs.errors import BadPayload
from collections_app.discogs.json_values import clean, read_count, read_object, read_text
from collections_app.discogs.payloads import parse_amount

MAX_GRADE = 40  # characters
MAX_GRADES = 20  # Discogs has eight
MAX_AMOUNT_TEXT = 40  # characters
MAX_RANGE_MINOR = 10**13  # no collection is worth more; a larger amount is garbage

_SIGNS = {
    "$": "USD", "US$": "USD", "£": "GBP", "€": "EUR", "CA$": "CAD", "C$": "CAD", "A$": "AUD", "AU$": "AUD",
    "¥": "JPY", "￥": "JPY", "JP¥": "JPY", "Fr.": "CHF", "MX$": "MXN", "Mex$": "MXN", "R$": "BRL",
    "NZ$": "NZD", "kr": "SEK", "kr.": "SEK", "R": "ZAR",
    **{code: code for code in CODES},
}  # fmt: skip
# Currencies whose own sign this is in some country; a sign that is not here has one meaning in the table above.
_SHARED_SIGNS = {"$": frozenset({"USD", "CAD", "AUD", "MXN", "NZD"})}
_SPACES = " \u00a0\u202f\u2009"
_AMOUNT_TEXT = re.compile(
    rf"(?P<before>[^0-9.,'’\-−{_SPACES}]\D{{0,4}}?)?[{_SPACES}]*"
    rf"(?P<whole>[0-9]{{1,14}}|[0-9]{{1,3}}(?P<mark>[.,'’{_SPACES}])[0-9]{{3}}(?:(?P=mark)[0-9]{{3}}){{0,4}})"
    rf"(?:(?P<point>[.,])(?P<rest>[0-9]{{2}}))?[{_SPACES}]*(?P<after>\D{{1,5}})?"
)


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


@dataclass(frozen=True, slots=True)
class CollectionRange:
    """Discogs' own estimate of a collection, in minor units of the account's currency; never in reversed order."""

    currency: str
    minimum_minor: int
    median_minor: int
    maximum_minor: int


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


def parse_collection_range(data: Any, *, account_currency: str = "") -> CollectionRange:
    """Parse `/users/{u}/collection/value`: three amounts as text, in one currency.

    account_currency: what the account uses, if that is known; it decides what a sign that currencies share means.
    """
    row = read_object(data, "value of the collection")
    texts = [read_text(row, name) for name in ("minimum", "median", "maximum")]
    amounts = [_amount_text(text, account_currency) for text in texts]
    if len({currency for currency, _ in amounts}) != 1:
        raise BadPayload("Discogs sent a value in several currencies.")
    low, middle, high = (minor for _, minor in amounts)
    if not low <= middle <= high:
        raise BadPayload("Discogs sent a value whose minimum, median and maximum are not in order.")
    return CollectionRange(amounts[0][0], low, middle, high)


def _amount_text(text: str, account_currency: str) -> tuple[str, int]:
    """The currency and the minor units of an amount as Discogs writes it: €1,458.87, ¥12,300, 1.458,87 €."""
    found = _AMOUNT_TEXT.fullmatch(text) if len(text) <= MAX_AMOUNT_TEXT else None
    if found is None or bool(found["before"]) == bool(found["after"]) or _is_one_mark(found):
        raise BadPayload("Discogs sent an amount in an unexpected form.")
    currency = _currency_of_sign((found["before"] or found["after"]).strip(), account_currency)
    digits = digits_of(currency)
    if found["rest"] and not digits:
        raise BadPayload("Discogs sent decimals of a currency that has none.")
    whole = int(re.sub(r"[^0-9]", "", found["whole"]))
    minor = whole * 10**digits + int(found["rest"] or 0)
    if minor > MAX_RANGE_MINOR:
        raise BadPayload("Discogs sent an absurd amount.")
    return currency, minor


def _is_one_mark(found: re.Match[str]) -> bool:
    """Whether thousands and decimals have the same mark, so that neither can be told from the other."""
    return found["mark"] is not None and found["mark"] == found["point"]


def _currency_of_sign(sign: str, account_currency: str) -> str:
    if account_currency in _SHARED_SIGNS.get(sign, ()):
        return account_currency
    if sign not in _SIGNS:
        raise BadPayload("Discogs sent an unknown currency.")
    return _SIGNS[sign]
