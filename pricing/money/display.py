"""How times and amounts are shown: active for the length of a request, like Django's time zone.

Outside of a request, as in commands and workers, times are UTC, amounts stay in USD, and nothing is hidden.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from django.utils import timezone

from pricing.money.convert import PRICE_CURRENCY, Rate, convert


@dataclass(frozen=True, slots=True)
class Display:
    """What one user has chosen."""

    zone: tzinfo = UTC
    hides_amounts: bool = False
    currency: str = PRICE_CURRENCY  # as chosen; amounts are shown in it as soon as there is a rate
    rate: Rate | None = None
    is_rate_old: bool = False

    @property
    def zone_name(self) -> str:
        return str(self.zone).replace("_", " ")

    @property
    def is_foreign(self) -> bool:
        """Whether another currency was chosen than the one prices come in."""
        return self.currency != PRICE_CURRENCY

    def currency_of(self, currency: str) -> str:
        """What an amount that is stored in this currency is shown in."""
        return self.rate.currency if self.rate and currency == PRICE_CURRENCY else currency

    def amount_of(self, minor: int, currency: str) -> int:
        """The same amount in minor units of what it is shown in."""
        return convert(minor, self.rate) if self.rate and currency == PRICE_CURRENCY else minor


# Asked for its display only when a page formats something, so that other requests do not pay for it.
Source = Callable[[], Display]
_source: ContextVar[Source] = ContextVar("display", default=Display)


def current() -> Display:
    return _source.get()()


@contextmanager
def active(source: Source) -> Iterator[None]:
    """Show everything as `source` says. It is called for every figure, so it has to remember its answer."""
    token = _source.set(source)
    try:
        with timezone.override(LazyZone(source)):
            yield
    finally:
        _source.reset(token)


class LazyZone(tzinfo):
    """The zone of a display, which is asked for when the first time is converted."""

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
