"""A collection's value by each definition: our totals, and Discogs' own minimum, median and maximum beside them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import QuerySet

from pricing.models import DiscogsRange, ExchangeRate
from pricing.money.convert import PRICE_CURRENCY, Rate, convert_back
from pricing.money.display import current
from pricing.pages.markbar import BAR, LANE, Label, placed
from pricing.value.freshness import PRICE_COUNTS_FOR


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition of the value. `usd_minor`: the amount in US cents, None without an exchange rate.

    The amount is in a currency that the filters of pages show as the user has chosen.
    """

    label: str
    name: str
    meaning: str
    amount_minor: int
    currency: str
    usd_minor: int | None


@dataclass(frozen=True, slots=True)
class Bar:
    """The marks on one bar from zero to the highest amount: ours above it, Discogs' below it."""

    ours: Sequence[Label]
    theirs: Sequence[Label]

    thickness = BAR

    @property
    def top(self) -> int:
        return LANE * _lanes(self.ours) + 4

    @property
    def bottom(self) -> int:
        return self.top + BAR

    @property
    def height(self) -> int:
        return self.bottom + LANE * _lanes(self.theirs) + 4

    @property
    def span(self) -> tuple[str, str]:
        """Where Discogs' range begins, and how wide it is."""
        low, high = self.theirs[0].share, self.theirs[-1].share
        return f"{low * 100:.2f}%", f"{(high - low) * 100:.2f}%"

    @property
    def above(self) -> list[tuple[Label, int]]:
        """Our labels, each with the height of its base line."""
        return [(label, self.top - 8 - LANE * label.lane) for label in self.ours]

    @property
    def below(self) -> list[tuple[Label, int]]:
        return [(label, self.bottom + LANE * (label.lane + 1) - 4) for label in self.theirs]


def _lanes(labels: Sequence[Label]) -> int:
    return max((label.lane + 1 for label in labels), default=0)


@dataclass(frozen=True, slots=True)
class Definitions:
    """`bar`: None if the amounts cannot be compared yet. `as_of`: of our totals; `row`: Discogs' range with its day."""

    ours: Sequence[Definition]
    theirs: Sequence[Definition]
    bar: Bar | None
    as_of: datetime | None
    row: DiscogsRange


def has_range(user_id: int, *, now: datetime) -> bool:
    """Whether Discogs has given its own range in the days that a price counts. One query."""
    return _ranges(user_id, now=now).exists()


def _ranges(user_id: int, *, now: datetime) -> "QuerySet[DiscogsRange]":
    oldest = now.astimezone(UTC).date() - PRICE_COUNTS_FOR
    return DiscogsRange.objects.filter(connection__user_id=user_id, day__gt=oldest)


def definitions_for(
    user_id: int,
    *,
    total_minor: int | None,
    by_grade_minor: int | None = None,
    as_of: datetime | None = None,
    now: datetime,
) -> Definitions | None:
    """The definitions of a user's collection; None without a range of Discogs from the days that a price counts.

    total_minor, by_grade_minor: our totals in US cents, each None if there is none; as_of: their newest price.
    One query, and one more if Discogs' range is neither in USD nor in the currency of the display.
    """
    row = _ranges(user_id, now=now).order_by("-day").first()
    if row is None:
        return None
    ours = [
        _own("Listings", "Lowest listings", "The cheapest copy on sale of each release", total_minor),
        _own("By grade", "By grade", "What Discogs suggests for the grade of each copy", by_grade_minor),
    ]
    shown, theirs = [each for each in ours if each], _theirs(row)
    return Definitions(shown, theirs, _bar(shown, theirs), as_of, row)


def _own(label: str, name: str, meaning: str, minor: int | None) -> Definition | None:
    return None if minor is None else Definition(label, name, meaning, minor, PRICE_CURRENCY, minor)


def _theirs(row: DiscogsRange) -> list[Definition]:
    amount = _converter(row.currency)
    return [
        Definition("Minimum", "Discogs’ minimum", "Discogs’ own low estimate", *amount(row.minimum_minor)),
        Definition("Median", "Discogs’ median", "Discogs’ own middle estimate", *amount(row.median_minor)),
        Definition("Maximum", "Discogs’ maximum", "Discogs’ own high estimate", *amount(row.maximum_minor)),
    ]


def _converter(currency: str) -> Callable[[int], tuple[int, str, int | None]]:
    """From Discogs' amount to the one that filters show, its currency, and US cents.

    An amount in the currency of the display stays as Discogs gave it. Without a rate any amount does.
    """
    if currency == PRICE_CURRENCY:
        return lambda minor: (minor, currency, minor)
    shown = current()
    rate = shown.rate if shown.rate and shown.rate.currency == currency else _rate(currency)
    if rate is None:
        return lambda minor: (minor, currency, None)
    if shown.currency_of(PRICE_CURRENCY) == currency:
        return lambda minor: (minor, currency, convert_back(minor, rate))
    return lambda minor: ((usd := convert_back(minor, rate)), PRICE_CURRENCY, usd)


def _rate(currency: str) -> Rate | None:
    row = ExchangeRate.objects.filter(currency=currency).first()
    return row.as_rate() if row else None


def _bar(ours: Sequence[Definition], theirs: Sequence[Definition]) -> Bar | None:
    amounts = [each.usd_minor for each in (*ours, *theirs)]
    known = [amount for amount in amounts if amount is not None]
    top = max(known) if known else 0
    if len(known) < len(amounts) or not top:
        return None
    return Bar(placed(_texts(ours, top)), placed(_texts(theirs, top)))


def _texts(definitions: Iterable[Definition], top: int) -> list[tuple[str, float]]:
    return [(each.label, (each.usd_minor or 0) / top) for each in definitions]
