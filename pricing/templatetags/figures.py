"""Money, numbers, dates and ages as the user has chosen. `money.format` writes them; filters hold no business rules."""

import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from collections_app.currencies import digits_of
from collections_app.models import CollectionInstance
from pricing.money import format as written
from pricing.money.display import Display, current
from pricing.pages.charts import Change, shapes_of
from pricing.value.accuracy import Missing
from pricing.value.band import Band

register = template.Library()

HIDDEN = mark_safe(
    '<span class="masked"><span aria-hidden="true">•••</span><span class="vh">hidden</span></span>'
)
Column = list[int | None]
_GRADE = re.compile(r"\(([^()\s]+)")


@register.simple_tag
def display() -> Display:
    """The user's display preferences."""
    return current()


@register.filter
def exponent(currency: str) -> int:
    """The number of decimals of a currency."""
    return digits_of(currency)


def _shown(minor: int, currency: str) -> tuple[int, str, str]:
    """An amount, its currency and its locale, as the user has chosen."""
    shown = current()
    return shown.amount_of(minor, currency), shown.currency_of(currency), shown.locale


# Amounts in the user's chosen display. Pages format amounts only with these.


@register.filter
def money(minor: int | None, currency: str) -> str:
    """1234550, USD → $12,345.50; a dash when there is no amount."""
    if minor is None:
        return written.DASH
    return HIDDEN if current().hides_amounts else written.amount(*_shown(minor, currency))


@register.filter
def paid(copy: CollectionInstance) -> str:
    """What the owner paid for a copy, in the currency they wrote, never converted; a bare number if they wrote none."""
    if copy.paid_minor is None:
        return written.DASH
    if current().hides_amounts:
        return HIDDEN
    return written.amount(copy.paid_minor, copy.paid_currency, current().locale)


@register.filter
def own_notes(copy: CollectionInstance) -> str:
    """The owner's notes about a copy; hidden if they contain a number while amounts are hidden."""
    return HIDDEN if _is_withheld(copy.notes) else copy.notes


@register.filter
def own_text(text: str) -> str:
    """Any other text of the owner's; hidden in the same way."""
    return HIDDEN if _is_withheld(text) else text


@register.filter
def own_fields(copy: CollectionInstance, paid_field: str) -> list[tuple[str, str]]:
    """The owner's own fields, without the price paid, which is shown separately.

    Fields that hold a number are left out while amounts are hidden. If no price could be read, its text is shown.
    """
    apart = paid_field if copy.paid_minor is not None else None
    fields = [(name, text) for name, text in copy.custom_fields.items() if name != apart]
    return [(name, text) for name, text in fields if not _is_withheld(text)]


def _is_withheld(text: str) -> bool:
    return current().hides_amounts and re.search(r"\d", text) is not None


@register.filter
def money_in_words(minor: int | None, currency: str) -> str:
    """The same as plain text, for places that allow no markup, such as an attribute."""
    if minor is None:
        return written.DASH
    return "hidden" if current().hides_amounts else written.amount(*_shown(minor, currency))


@register.filter
def money_major(minor: int, currency: str) -> str:
    """The part before the decimal mark, with the symbol where it comes first."""
    return HIDDEN if current().hides_amounts else written.split_amount(*_shown(minor, currency))[0]


@register.filter
def money_minor(minor: int, currency: str) -> str:
    """The decimal mark and what follows; nothing for a currency without a minor unit."""
    return "" if current().hides_amounts else written.split_amount(*_shown(minor, currency))[1]


@register.filter
def money_difference(change: Change, currency: str) -> str:
    """A signed difference of the amounts as shown, so that it matches them to the cent."""
    return HIDDEN if current().hides_amounts else written.difference(*_difference(change, currency))


@register.filter
def money_moved(change: Change, currency: str) -> str:
    """The same difference without its sign, which the arrow beside it shows."""
    if current().hides_amounts:
        return HIDDEN
    minor, shown_in, locale = _difference(change, currency)
    return written.amount(abs(minor), shown_in, locale)


def _difference(change: Change, currency: str) -> tuple[int, str, str]:
    """The difference of the two amounts as shown, its currency and its locale."""
    (then, *_), (now, shown_in, locale) = (_shown(minor, currency) for minor in (change.then, change.now))
    return now - then, shown_in, locale


@register.filter
def money_signed(minor: int, currency: str) -> str:
    """A change with its sign; an amount of zero has none."""
    if current().hides_amounts:
        return HIDDEN
    return written.difference(*_shown(minor, currency))


@register.filter
def money_round(minor: int, currency: str) -> str:
    """To the nearest whole unit, for places where the minor part is noise."""
    return HIDDEN if current().hides_amounts else written.whole_amount(*_shown(minor, currency))


@register.filter
def money_about(minor: float, currency: str) -> str:
    """An amount that is only estimated, to one significant figure."""
    return HIDDEN if current().hides_amounts else written.about(*_shown(round(minor), currency))


@register.simple_tag
def price_range(missing: Missing, currency: str) -> str:
    """What similar copies cost in all, to two significant figures."""
    if current().hides_amounts:
        return HIDDEN
    ends = (missing.low_minor or 0, missing.high_minor or 0)
    return "–".join(written.about(*_shown(minor, currency), figures=2) for minor in ends)


@register.simple_tag
def band_ends(band: Band, currency: str) -> tuple[str, str]:
    """Both ends of a band, which differ from its total by the half-width as shown."""
    shown = current()
    if shown.hides_amounts:
        return HIDDEN, HIDDEN
    total, half = (shown.amount_of(minor, currency) for minor in (band.total_minor, round(band.half_minor)))
    away, known = written.significant(half), (shown.currency_of(currency), shown.locale)
    text = written.amount if away % 10 ** digits_of(known[0]) else written.whole_amount
    return text(max(0, total - away), *known), text(total + away, *known)


@register.filter
def currency_shown(currency: str) -> str:
    """The currency that amounts stored in this one are shown in."""
    return current().currency_of(currency)


@register.simple_tag
def chart_shown(columns: dict[str, Column], names: str, currency: str) -> dict[str, Column]:
    """The columns of a chart, the amounts of these names as the user has chosen: when hidden, only their shape.

    names: separated by spaces; their shapes are on one scale.
    """
    shown, amounts = current(), {name: columns[name] for name in names.split()}
    if shown.hides_amounts:
        return {**columns, **dict(zip(amounts, shapes_of(*amounts.values()), strict=True))}
    converted = {
        name: [None if minor is None else shown.amount_of(minor, currency) for minor in column]
        for name, column in amounts.items()
    }
    return {**columns, **converted}


@register.filter
def percent(value: float | None) -> str:
    """A percentage without its sign, which the arrow beside it shows: 3.3 %."""
    if value is None:
        return ""
    return written.percent(abs(value), current().locale, decimals=0 if abs(value) >= 1000 else 1)


@register.filter
def share(part: int, whole: int) -> str:
    """`part` of `whole` as a whole percentage; 100 only if it is all."""
    if not whole:
        return written.DASH
    rounded = round(part * 100 / whole)
    return written.percent(min(rounded, 99) if part < whole else 100, current().locale)


@register.filter
def count(number: int | None) -> str:
    """A count with separators; a dash when it is unknown, which is not zero."""
    if not isinstance(number, int):  # a missing attribute comes as ""
        return written.DASH
    return written.number(number, current().locale)


@register.filter
def decimal(value: float) -> str:
    """A number with one decimal, rounded half up."""
    tenths = Decimal(str(value)).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
    return written.number(tenths, current().locale, decimals=1)


@register.filter
def signed(number: int) -> str:
    return f"{'+' if number > 0 else written.MINUS}{written.number(abs(number), current().locale)}"


@register.filter(expects_localtime=True)
def day(moment: date | None, form: str = "medium") -> str:
    """A date, or the date of a time in the user's time zone; nothing if it is unknown. `format.day` knows the forms."""
    if not moment:
        return ""
    return written.day(moment.date() if isinstance(moment, datetime) else moment, current().locale, form)


def exact(moment: datetime) -> str:
    """A time in the user's time zone, with the zone's name."""
    local = timezone.localtime(moment)
    return f"{day(local)}, {local:%H:%M} {current().zone_name}"


@register.simple_tag
def printed_at() -> str:
    """The time of the server, for the head of a printed page."""
    return exact(timezone.now())


def age_in_words(seconds: float) -> str:
    """Short, as in `2 h`."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{written.number(int(seconds // size), current().locale)} {unit}"
    return "moments"


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """A <time> that says how long ago, with the exact time in its title, which is what gets printed."""
    if moment is None:
        return "never"
    return format_html(
        '<time datetime="{}" title="{}">{} ago</time>',
        moment.isoformat(timespec="seconds"),
        exact(moment),
        age_in_words((timezone.now() - moment).total_seconds()),
    )


@register.filter
def duration(seconds: float | None) -> str:
    """A duration in one or two units: 14 s, 4 min, 1 h 20 min."""
    return written.DASH if seconds is None else written.duration(seconds, current().locale)


@register.filter
def since(end: datetime | None, start: datetime) -> str:
    """The time between two moments; a dash while the end is not known yet."""
    return written.DASH if end is None else duration((end - start).total_seconds())


@register.filter
def grade(condition: str) -> str:
    """The short form of a condition, `VG+` of `Very Good Plus (VG+)`; unknown words stay as they are."""
    found = _GRADE.search(condition)
    return found.group(1) if found else condition


@register.filter
def picture(url: str) -> str:
    """The image address if the content policy allows it, otherwise an empty string."""
    sources: list[str] = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["img-src"]
    hosts = tuple(f"{source}/" for source in sources if "://" in source)
    return url if url.startswith(hosts) else ""
