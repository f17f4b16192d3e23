"""The profit of a copy, in the currency that the page shows."""

from django import template

from pricing.money import format as written
from pricing.money.convert import PRICE_CURRENCY
from pricing.money.display import current
from pricing.pages.charts import Change
from pricing.pages.holding import OwnCopy
from pricing.templatetags.figures import HIDDEN

register = template.Library()


@register.filter
def profit(own: OwnCopy) -> Change | None:
    """From what was paid for a copy to its worth as shown; None if it was paid in another currency than the page's."""
    shown, worth = current(), own.value.amount_minor
    converted = None if worth is None else shown.amount_of(worth, PRICE_CURRENCY)
    return own.profit_in(shown.currency_of(PRICE_CURRENCY), converted)


@register.filter
def profit_amount(change: Change) -> str:
    """The difference with its sign; `change` comes from `profit`, so it is in the currency of the page already."""
    shown = current()
    if shown.hides_amounts:
        return HIDDEN
    return written.difference(change.difference, shown.currency_of(PRICE_CURRENCY), shown.locale)
