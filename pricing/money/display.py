"""How times and amounts are displayed: active for the duration of a request, like Django's time zone.

Outside of a request, as in commands and workers, times are in UTC, amounts are in USD and in English, and nothing is
hidden.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from django.utils import timezone

from pricing.money.convert import PRICE_CURRENCY, Rate, convert
from pricing.money.locales import DEFAULT


@dataclass(frozen=True, slots=True)
class Display:
    """One user's display preferences."""

    zone: tzinfo = UTC
    locale: str = DEFAULT
    hides_amounts: bool = False
    basis: str = "floor"  # of values: `Preferences.Basis`
    currency: str = PRICE_CURRENCY  # as chosen; amounts are shown in it when there is a rate
    rate: Rate | None = None
    is_rate_old: bool = False

    @property
    def zone_name(self) -> str:
        return str(self.zone).replace("_", " ")

    @property
    def is_foreign(self) -> bool:
        """Whether the chosen currency differs from the one prices are in."""
        return self.currency != PRICE_CURRENCY

    def currency_of(self, currency: str) -> str:
        """The currency in which an amount stored in `currency` is shown."""
        return self.rate.currency if self.rate and currency == PRICE_CURRENCY else currency

    def amount_of(self, minor: int, currency: str) -> int:
        """The amount in minor units of the currency in which it is shown."""
        return convert(minor, self.rate) if self.rate and currency == PRICE_CURRENCY else minor


# Called only when a page formats something, so that other requests do not pay for its queries.
Source = Callable[[], Display]
_source: ContextVar[Source] = ContextVar("display", default=Display)


def current() -> Display:
    return _source.get()()


@contextmanager
def active(source: Source) -> Iterator[None]:
    """Display everything as `source` says. It is called for every figure, so it must cache its result."""
    token = _source.set(source)
    try:
        with timezone.override(LazyZone(source)):
            yield
    finally:
        _source.reset(token)


class LazyZone(tzinfo):
    """The time zone of a display, evaluated only when a time is converted."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def fromutc(self, moment: datetime) -> datetime:
        zone = self._source().zone
        return zone.fromutc(moment.replace(tzinfo=zone))

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        return self._source().zone.utcoffset(moment)

    def dst(self, moment: datetime | None) -> timedelta | None:
        return self._source().zone.dst(moment)

    def tzname(self, moment: datetime | None) -> str | None:
        return self._source().zone.tzname(moment)

    def __str__(self) -> str:
        return str(self._source().zone)
