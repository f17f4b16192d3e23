"""What a held copy is worth on its release's page, where that comes from, and the profit against what was paid."""

from decimal import Decimal

import pytest
from django.utils import timezone

from collections_app.models import CollectionInstance, Decision
from pricing.models import ReleasePrice
from pricing.money import display
from pricing.money.convert import Rate
from pricing.pages.charts import Change
from pricing.pages.holding import own_copy
from pricing.templatetags import figures, holding
from pricing.value.cascade import Source
from pricing.value.freshness import Freshness

FRESH, CARRIED, GONE, HELD_BACK = Freshness.FRESH, Freshness.CARRIED, Freshness.GONE, Freshness.QUARANTINED
VG_PLUS = "Very Good Plus (VG+)"
EUROS = display.Display(currency="EUR", rate=Rate("EUR", Decimal("0.5"), timezone.now()))


def own(grade="", *, near_mint=None, state=FRESH, amount=900, **fields):
    copy = CollectionInstance(media_condition=grade, **fields)
    price = ReleasePrice(near_mint_minor=near_mint, last_minor=amount)
    price.amount_minor = None if state == CARRIED else amount
    return own_copy(copy, price, state=state)


@pytest.mark.parametrize(
    ("given", "worth", "source"),
    [
        ({"grade": VG_PLUS, "near_mint": 1700}, 1300, Source.GRADE),
        ({"grade": VG_PLUS}, 900, Source.FLOOR),
        ({"grade": "", "near_mint": 1700}, 900, Source.FLOOR),
        ({"grade": VG_PLUS, "near_mint": 1700, "own_minor": 5000}, 5000, Source.OWN),
        ({"state": CARRIED, "amount": 1200}, 1200, Source.CARRIED),
        ({"state": CARRIED, "amount": 1200, "grade": VG_PLUS, "near_mint": 1700}, 1300, Source.GRADE),
        ({"state": GONE, "amount": None, "grade": VG_PLUS, "near_mint": 1700}, None, Source.NONE),
        ({"state": HELD_BACK, "amount": None}, None, Source.NONE),
        (
            {"grade": VG_PLUS, "near_mint": 1700, "state": Freshness.LEFT_OUT, "amount": None}
            | {"price_decision": Decision.NEVER},
            None,
            Source.NONE,
        ),
    ],
)
def test_own_copy_is_worth_its_grade_or_the_lowest_listing(given, worth, source):
    found = own(**given)
    assert (found.value.amount_minor, found.value.source) == (worth, source)
    assert bool(found.source_label) == (worth is not None)


def test_own_copy_of_an_unfetched_release_has_no_worth():
    found = own_copy(CollectionInstance(), None, state=Freshness.NEVER_FETCHED)
    assert (found.value.amount_minor, found.source_label) == (None, "")


@pytest.mark.parametrize(
    ("shown", "paid_minor", "paid_currency", "change"),
    [
        (display.Display(), 600, "USD", Change(600, 900)),
        (display.Display(), 600, "EUR", None),
        (display.Display(), 600, "", None),
        (display.Display(), None, "", None),
        (display.Display(), 0, "USD", Change(0, 900)),
        (EUROS, 600, "EUR", Change(600, 450)),
        (EUROS, 600, "USD", None),
    ],
)
def test_profit_is_in_the_currency_of_the_page(shown, paid_minor, paid_currency, change):
    with display.active(lambda: shown):
        assert holding.profit(own(paid_minor=paid_minor, paid_currency=paid_currency)) == change


def test_profit_needs_a_worth():
    assert holding.profit(own(state=GONE, amount=None, paid_minor=1, paid_currency="USD")) is None


def test_profit_is_written_with_its_sign_or_hidden():
    assert holding.profit_amount(Change(600, 900)) == "+$3.00"
    assert holding.profit_amount(Change(900, 600)) == "−$3.00"
    with display.active(lambda: EUROS):
        assert holding.profit_amount(Change(600, 450)) == "−€1.50"
    with display.active(lambda: display.Display(hides_amounts=True)):
        assert holding.profit_amount(Change(600, 900)) == figures.HIDDEN
