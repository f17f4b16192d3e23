"""Parse Discogs' JSON into frozen values. Pure. Anything unexpected raises BadPayload; nothing is guessed.

A missing fact is an absent key, a price is a float with noise, an integer may be a list: docs/discogs-terms.md has the
sources of these facts.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from collections_app.currencies import minor_units
from collections_app.discogs.errors import BadPayload
from collections_app.discogs.json_values import (
    read_count,
    read_id,
    read_object,
    read_text,
)

MAX_AMOUNT = Decimal(10_000_000)  # no record costs more; a larger value is garbage
MAX_USERNAME = 255  # characters; Discogs' limit is lower


@dataclass(frozen=True, slots=True)
class Identity:
    discogs_id: int
    username: str


class MarketStatus(StrEnum):
    """What Discogs says about a release's market. A failed fetch says nothing, so it has no status here."""

    PRICED = "priced"
    NONE_FOR_SALE = "none_for_sale"
    BLOCKED = "blocked"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Market:
    """The market of a release, with its amount in minor units of `currency`."""

    discogs_id: int
    status: MarketStatus
    currency: str
    amount_minor: int | None
    num_for_sale: int | None
    want: int | None
    have: int | None
    rating_count: int | None
    rating_average: float | None


def parse_identity(data: Any) -> Identity:
    row = read_object(data, "identity")
    username = read_text(row, "username")
    if not 0 < len(username) <= MAX_USERNAME:
        raise BadPayload("Discogs sent no usable username.")
    return Identity(read_id(row, "id"), username)


def parse_release_market(data: Any, *, discogs_id: int) -> Market:
    """Parse the market part of `/releases/{id}`, whose price is always in USD.

    None is for sale only if Discogs says so: an explicit null and no listings. A missing key proves nothing.
    """
    row = read_object(data, "release")
    if read_id(row, "id") != discogs_id:
        raise BadPayload("Discogs answered with another release than the one asked for.")
    community = read_object(row.get("community", {}), "community")
    rating = read_object(community.get("rating", {}), "rating")
    amount = parse_amount(row.get("lowest_price"), "USD")
    num_for_sale = read_count(row, "num_for_sale")
    status = _status(bool(row.get("blocked_from_sale", False)), amount)
    if status == MarketStatus.NONE_FOR_SALE and (
        num_for_sale or not {"lowest_price", "num_for_sale"} <= row.keys()
    ):
        raise BadPayload("Discogs sent no lowest price, and did not say that none is for sale.")
    return Market(
        discogs_id=discogs_id,
        status=status,
        currency="USD" if status == MarketStatus.PRICED else "",
        amount_minor=amount if status == MarketStatus.PRICED else None,
        num_for_sale=num_for_sale,
        want=read_count(community, "want"),
        have=read_count(community, "have"),
        rating_count=read_count(rating, "count"),
        rating_average=_rating(rating.get("average")),
    )


def _status(blocked: bool, amount: int | None) -> MarketStatus:
    if blocked:
        return MarketStatus.BLOCKED
    if amount is not None:
        return MarketStatus.PRICED
    return MarketStatus.NONE_FOR_SALE


def parse_amount(value: Any, currency: str) -> int | None:
    """A price of Discogs in minor units; None for null. Raises BadPayload if it cannot be a price."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise BadPayload("Discogs sent a price that is not a number.")
    if not 0 < value <= MAX_AMOUNT:
        raise BadPayload("Discogs sent a price that cannot be one.")
    amount = minor_units(Decimal(value), currency)
    if amount == 0:
        raise BadPayload("Discogs sent a price that cannot be one.")
    return amount


def _rating(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value <= 5:
        raise BadPayload("Discogs sent a rating that is not one.")
    return float(value)
