"""Discogs' suggestion for a release in Near Mint, in the currency of its prices."""

from pricing.models import ExchangeRate, PriceSuggestion
from pricing.money.convert import PRICE_CURRENCY, convert_back

NEAR_MINT = "Near Mint (NM or M-)"  # as Discogs names the grade


def suggested_minor(release_id: int) -> int | None:
    """The newest suggestion; None if there is none, or no rate for its currency. One query, or two."""
    rows = PriceSuggestion.objects.filter(release=release_id, grade=NEAR_MINT).order_by("-observed_at")
    newest = rows.values_list("amount_minor", "currency").first()
    if newest is None:
        return None
    amount, currency = newest
    if currency == PRICE_CURRENCY:
        return amount
    rate = ExchangeRate.objects.filter(currency=currency).first()
    return convert_back(amount, rate.as_rate()) if rate else None
