"""How the made-up market moves: prices, listings, wants and haves of one release on one day. Pure."""

import math
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from collections_app.sandbox.world.noise import hash64, normal, smooth, unit

# Days are counted from here; a trend is zero on this day, so levels near it are plausible.
ORIGIN = date(2026, 1, 1)

# Made-up rates: units of the currency for one USD. The twelve currencies that Discogs supports.
USD_RATES = {
    "USD": 1.0,
    "GBP": 0.7843172953,
    "EUR": 0.9137426518,
    "CAD": 1.3821905377,
    "AUD": 1.5317724906,
    "JPY": 151.2683159142,
    "CHF": 0.8764413792,
    "MXN": 18.6120473361,
    "BRL": 5.4290871683,
    "NZD": 1.6809342275,
    "SEK": 10.3471190264,
    "ZAR": 17.9318456203,
}

# Price suggestions are one number on this grid, in Discogs' order of grades from best to worst.
GRADE_GRID = {
    "Mint (M)": 19,
    "Near Mint (NM or M-)": 17,
    "Very Good Plus (VG+)": 13,
    "Very Good (VG)": 9,
    "Good Plus (G+)": 5,
    "Good (G)": 3,
    "Fair (F)": 2,
    "Poor (P)": 1,
}


class Kind(StrEnum):
    """The market behaviour of a release, permanent unless overridden."""

    ORDINARY = "ordinary"
    SCARCE = "scarce"  # sometimes none for sale, for two weeks at a time
    NONE_FOR_SALE = "none_for_sale"
    BLOCKED = "blocked"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class MarketDay:
    """One release on one UTC day. `lowest_price` is USD rounded to cents, None if nothing is for sale."""

    release_id: int
    day: date
    lowest_price: Decimal | None
    num_for_sale: int
    want: int
    have: int
    rating_count: int
    rating_average: Decimal
    blocked: bool = False
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """The constants of one release; levels are those of ORIGIN, `trend` is log price per year."""

    key: int
    kind: Kind
    log_price: float
    trend: float
    volatility: float
    hold_days: int
    listings: float
    have: float
    want: float
    rating_count: int
    rating_average: Decimal


@lru_cache(maxsize=65_536)
def profile(seed: int, release_id: int) -> Profile:
    """The market constants of a release."""
    key = hash64(seed, 1, release_id)
    desire, rarity = normal(key, 2), normal(key, 3)
    have = math.exp(5.5 - 0.5 * rarity + 0.9 * normal(key, 4))
    ratings = int(have * (0.05 + 0.12 * unit(key, 12)))
    return Profile(
        key=key,
        kind=_kind(unit(key, 5)),
        log_price=math.log(12) + 0.75 * desire + 0.65 * rarity,
        trend=_trend(key),
        volatility=0.5 + unit(key, 8),
        hold_days=1 + hash64(key, 9) % 5,
        listings=have * math.exp(-2.6 - 0.3 * desire - 0.4 * rarity + 0.4 * normal(key, 10)),
        have=have,
        want=have * math.exp(-0.9 + 0.7 * desire + 0.3 * rarity + 0.4 * normal(key, 11)),
        rating_count=ratings,
        rating_average=_rating(key) if ratings else Decimal(0),
    )


def _kind(u: float) -> Kind:
    for share, kind in (
        (0.01, Kind.GONE),
        (0.02, Kind.BLOCKED),
        (0.045, Kind.NONE_FOR_SALE),
        (0.065, Kind.SCARCE),
    ):
        if u < share:
            return kind
    return Kind.ORDINARY


def _trend(key: int) -> float:
    u = unit(key, 6)
    if u < 0.14:
        return 0.25 + 0.55 * unit(key, 7)
    if u < 0.28:
        return -0.12 - 0.38 * unit(key, 7)
    return 0.02 + 0.06 * normal(key, 7)


def _rating(key: int) -> Decimal:
    return Decimal(f"{min(5.0, max(2.4, 4.15 + 0.32 * normal(key, 13))):.2f}")


def market_day(seed: int, release_id: int, day: date, kind: Kind | None = None) -> MarketDay:
    """The market of one release on one day; `kind` overrides the release's own kind. About 10 µs."""
    p = profile(seed, release_id)
    kind = kind or p.kind
    n = day.toordinal() - ORIGIN.toordinal()
    growth = _growth(p, n)
    for_sale = 0 if _absent(p, kind, n) else _listings(p, n, growth)
    return MarketDay(
        release_id=release_id,
        day=day,
        lowest_price=_price(p, n) if for_sale else None,
        num_for_sale=for_sale,
        want=max(0, round(p.want * math.exp(0.5 * growth + 0.02 * smooth(p.key, 20, 45, n)))),
        have=max(1, round(p.have * math.exp(0.02 * _years(n) + 0.004 * smooth(p.key, 21, 60, n)))),
        rating_count=p.rating_count,
        rating_average=p.rating_average,
        blocked=kind is Kind.BLOCKED,
        gone=kind is Kind.GONE,
    )


def suggestions(seed: int, release_id: int, day: date) -> dict[str, Decimal]:
    """Suggested prices in unrounded USD for the eight media grades; {} if Discogs has none (4 %)."""
    p = profile(seed, release_id)
    if p.kind is Kind.GONE or unit(p.key, 30) < 0.04:
        return {}
    n = day.toordinal() - ORIGIN.toordinal()
    very_good_plus = math.exp(p.log_price + _growth(p, n) + 0.05 * smooth(p.key, 31, 30, n)) * 1.3
    step = Decimal(repr(very_good_plus / GRADE_GRID["Very Good Plus (VG+)"]))
    return {grade: step * share for grade, share in GRADE_GRID.items()}


def _years(n: int) -> float:
    # The curve flattens after some four years, so that no trend leads to absurd prices.
    return 4 * math.tanh(n / 365.25 / 4)


def _growth(p: Profile, n: int) -> float:
    return p.trend * _years(n)


def _absent(p: Profile, kind: Kind, n: int) -> bool:
    if kind is Kind.SCARCE:
        return unit(p.key, 22, n // 14) < 0.3
    return kind is not Kind.ORDINARY


def _listings(p: Profile, n: int, growth: float) -> int:
    wave = 0.22 * smooth(p.key, 23, 30, n) + 0.06 * normal(p.key, 24, n)
    return max(1, round(p.listings * math.exp(wave - 1.5 * growth)))


def _price(p: Profile, n: int) -> Decimal:
    # The cheapest listing stays until it is sold: the price holds for some days, then steps.
    block = (n + p.key % 7) // p.hold_days
    at = block * p.hold_days
    waves = (
        0.11 * smooth(p.key, 25, 75, at) + 0.06 * smooth(p.key, 26, 19, at) + 0.025 * normal(p.key, 27, block)
    )
    amount = math.exp(p.log_price + _growth(p, at) + p.volatility * waves)
    return _sellers_ending(amount, hash64(p.key, 28, block) % 100)


def _sellers_ending(amount: float, draw: int) -> Decimal:
    whole = max(1, round(amount))
    if amount < 4 or draw < 55:
        return Decimal(f"{max(0.95, amount):.2f}")
    if draw < 75:
        return Decimal(f"{whole}.00")
    return Decimal(f"{whole - 1}.99") if draw < 90 else Decimal(f"{whole}.50")
