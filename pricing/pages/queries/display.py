"""A user's display preferences."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from collections_app.connections.lookup import preferences_of
from pricing.models import ExchangeRate
from pricing.money.convert import PRICE_CURRENCY
from pricing.money.display import Display
from pricing.money.locales import best_of


def display_for(user_id: int, *, now: datetime) -> Display:
    """One query, and one more if the currency is not that of the prices."""
    chosen = preferences_of(user_id)
    row = None
    if chosen.currency != PRICE_CURRENCY:
        row = ExchangeRate.objects.filter(currency=chosen.currency).first()
    rate = row.as_rate() if row else None
    return Display(
        zone=_zone(chosen.time_zone),
        locale=best_of([chosen.locale]),  # English for one that is not offered any more
        basis=chosen.basis,
        hides_amounts=chosen.hides_amounts,
        currency=chosen.currency,
        rate=rate,
        is_rate_old=rate is not None and rate.is_old(now),
    )


def _zone(name: str) -> tzinfo:
    """UTC for a name that this machine's database of time zones does not have (any more)."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
