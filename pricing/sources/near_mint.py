"""One number from Discogs' suggestions by grade: what it suggests for Near Mint, in USD."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from django.db import transaction

from collections_app.discogs.market_payloads import Suggestion
from collections_app.discogs.payloads import MAX_AMOUNT
from pricing.models import ExchangeRate, NearMintPrice, ReleasePrice
from pricing.money.convert import PRICE_CURRENCY, convert_back
from pricing.sources.exchange_rates import request_rate
from pricing.value.cascade import NEAR_MINT, factor_of

MAX_MINOR = int(MAX_AMOUNT * 100)  # no record costs more, in US cents


def near_mint_of(found: Sequence[Suggestion]) -> tuple[int, str] | None:
    """The suggestion for Near Mint and its currency; without one, what the nearest other grade says on the grid.

    None if no grade of the grid is among them. Pure.
    """
    graded = [(entry, factor) for entry in found if (factor := factor_of(entry.grade))]
    if not graded:
        return None
    entry, factor = min(graded, key=lambda each: abs(each[1] - NEAR_MINT))
    return (2 * entry.amount_minor * NEAR_MINT + factor) // (2 * factor), entry.currency


def in_usd(amount_minor: int, currency: str, *, now: datetime) -> int | None:
    """Convert at Discogs' rate of this moment; None if there is no usable one. A rate that is not fresh is requested.

    If no user sees amounts in this currency, nothing else keeps its rate fresh.
    """
    if currency != PRICE_CURRENCY:
        request_rate(currency, now=now)
        row = ExchangeRate.objects.filter(currency=currency).first()
        if row is None or row.as_rate().is_old(now):
            return None
        amount_minor = convert_back(amount_minor, row.as_rate())
    return amount_minor if amount_minor <= MAX_MINOR else None


def store(release_id: int, amount_minor: int | None, *, now: datetime) -> None:
    """Store the newest suggestion, and a row of its history if the amount changed; nothing for a release without price.

    The newest row of the history always has this amount, and its day is `near_mint_since`.
    """
    prices = ReleasePrice.objects.filter(pk=release_id)
    with transaction.atomic():
        if prices.select_for_update(no_key=True).first() is None:
            return
        since = _add_to_history(release_id, amount_minor, now=now)
        prices.update(near_mint_minor=amount_minor, near_mint_at=now, near_mint_since=since)


def _add_to_history(release_id: int, amount_minor: int | None, *, now: datetime) -> date:
    """The first day of this amount. A second change of a day replaces the first one, or takes it back."""
    day, rows = now.astimezone(UTC).date(), NearMintPrice.objects.filter(release=release_id)
    before = rows.filter(day__lt=day).order_by("-day").first()
    rows.filter(day__gte=day).delete()  # later ones come from a clock that was ahead
    if before is not None and before.amount_minor == amount_minor:
        return before.day
    NearMintPrice.objects.create(release_id=release_id, day=day, amount_minor=amount_minor)
    return day
