"""The text of amounts, numbers, percentages and dates: for pages, the admin, mails, commands and files alike. Pure.

Babel knows how each locale writes them; without a locale all of it is English. Results are text, never markup. The most
recent ones are kept, since a list shows few different figures again and again and Babel takes some 30 µs for each.
"""

import re
from copy import copy
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from math import floor, log10

from babel.dates import format_date, match_skeleton
from babel.numbers import NumberPattern, get_decimal_symbol

from collections_app.currencies import digits_of
from pricing.money.locales import DEFAULT, locale_of

DASH, MINUS = "–", "−"
DATE_FORMS = {
    "medium": "d MMM y",
    "long": "d MMMM y",
    "short": "d MMM",
    "month": "MMM y",
}  # of the pages' English
# Other locales have their own order; mostly in digits, since names of months would not be English.
_SKELETONS = {"short": "Md", "month": "yM"}
# CLDR wants a space between a code and the digits beside it, which Babel leaves out.
_LETTER_THEN_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)")
_remembered = lru_cache(maxsize=4096)


@_remembered
def amount(minor: int | None, currency: str, locale: str = DEFAULT) -> str:
    """1234550, USD → $12,345.50, exactly; a dash for no amount, a bare number if the currency is unknown, as ""."""
    if minor is None:
        return DASH
    digits = digits_of(currency)
    return _written(Decimal(minor).scaleb(-digits), currency, digits, locale)


def whole_amount(minor: int, currency: str, locale: str = DEFAULT) -> str:
    """An amount to its nearest whole unit, for places where the minor part is noise."""
    unit = 10 ** digits_of(currency)
    return _written(Decimal((minor + unit // 2) // unit), currency, 0, locale)


def significant(minor: float, figures: int = 1) -> int:
    """A positive amount rounded half up to its first significant figures: 31,450 → 30,000 with one of them."""
    if minor < 1:
        return round(minor)
    unit = 10.0 ** (floor(log10(minor)) + 1 - figures)
    return round(floor(minor / unit + 0.5) * unit)


def about(minor: float, currency: str, locale: str = DEFAULT, figures: int = 1) -> str:
    """A positive amount to its first significant figures, without a minor part where that is zero: $300."""
    rounded = significant(minor, figures)
    is_whole = rounded % 10 ** digits_of(currency) == 0
    return (whole_amount if is_whole else amount)(rounded, currency, locale)


def split_amount(minor: int, currency: str, locale: str = DEFAULT) -> tuple[str, str]:
    """An amount in two parts: up to its last whole digit, and the rest; no rest without a minor unit."""
    text = amount(minor, currency, locale)
    mark = text.rfind(get_decimal_symbol(locale_of(locale))) if digits_of(currency) else len(text)
    return text[:mark], text[mark:]


def difference(minor: int, currency: str, locale: str = DEFAULT) -> str:
    """An amount with its sign, + or −, where the locale writes it; none for zero."""
    return (
        amount(-minor, currency, locale).replace(MINUS, "+") if minor > 0 else amount(minor, currency, locale)
    )


def _written(value: Decimal, currency: str, digits: int, locale: str) -> str:
    known = locale_of(locale)
    text: str = _pattern(locale, is_amount=bool(currency), digits=digits).apply(
        value, known, currency=currency or None, currency_digits=False
    )
    return _LETTER_THEN_DIGIT.sub(" ", text.replace("-", MINUS))


@cache
def _pattern(locale: str, *, is_amount: bool, digits: int) -> NumberPattern:
    """A locale's pattern with our number of decimals: Babel's own can differ for what someone typed as paid."""
    known = locale_of(locale)
    pattern: NumberPattern = copy(
        known.currency_formats["standard"] if is_amount else known.decimal_formats[None]
    )
    pattern.frac_prec = (digits, digits)
    return pattern


@_remembered
def number(value: float | Decimal, locale: str = DEFAULT, *, decimals: int = 0) -> str:
    """12345 → 12,345, rounded to so many decimals as Python rounds."""
    exact = Decimal(value) if isinstance(value, int) else Decimal(f"{value:.{decimals}f}")
    return _written(exact, "", decimals, locale)


def percent(value: float, locale: str = DEFAULT, *, decimals: int = 0) -> str:
    """3.27 → 3.3 % with one decimal. The space is in every locale, as before the other units of a page."""
    return f"{number(value, locale, decimals=decimals)} %"


@_remembered
def day(value: date, locale: str = DEFAULT, form: str = "medium") -> str:
    """2026-03-12 → 12 Mar 2026. `long` is for sentences, `short` has no year, and `month` no day."""
    return format_date(value, day_pattern(locale, form), locale_of(locale))


@cache
def day_pattern(locale: str = DEFAULT, form: str = "medium") -> str:
    """How `day` writes a date, as a pattern of CLDR such as `d MMM y`, for scripts that write days as the page does."""
    known = locale_of(locale)
    if locale == DEFAULT:
        return DATE_FORMS[form]
    if form in _SKELETONS:
        found = match_skeleton(_SKELETONS[form], known.datetime_skeletons)
        return str(known.datetime_skeletons[found])
    return str(known.date_formats["medium"].pattern)


def month_names(locale: str = DEFAULT) -> list[str]:
    """The short names of the months from January on: `MMM` of a pattern."""
    return list(locale_of(locale).months["format"]["abbreviated"].values())


def duration(seconds: float, locale: str = DEFAULT) -> str:
    """A duration in one or two units: 14 s, 4 min, 1 h 20 min."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{round(whole / 60)} min"
    hours, minutes = divmod(round(whole / 60), 60)
    only_hours = f"{number(hours, locale)} h"
    return f"{only_hours} {minutes} min" if minutes else only_hours
