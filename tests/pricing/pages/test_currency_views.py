"""Amounts in the currency a user has chosen: on every page, converted once, at one rate."""

import json
import re
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from collections_app.models import Preferences
from pricing.models import ExchangeRate
from pricing.money import display
from pricing.money.convert import Rate
from pricing.money.format import amount
from pricing.pages.charts import Change
from pricing.pages.queries.display import display_for
from pricing.templatetags import figures
from tests import factories as make

pytestmark = pytest.mark.django_db

RELEASE = 4711
# At 0.75 cents come out as quarters, so that it shows where something is rounded before it is added up.
EUR, JPY = 750_000, 151_268_316
PAGES = (
    "/dashboard/?range=all",
    "/dashboard/?range=all&group=folder",
    "/dashboard/headline/?range=all",
    "/collection/",
    f"/release/{RELEASE}/?range=all",
    "/collection/values/",
)


@pytest.fixture
def collection():
    collection, today = make.make_connection(), timezone.now().date()
    release = make.make_release(discogs_id=RELEASE, genres=["Jazz"])
    for _ in range(2):
        make.make_copy(collection, release)
    make.make_price(release, 10_001)
    fallen = make.make_copy(collection, make.make_release(genres=["Rock"])).release
    make.make_price(fallen, 5_001)
    for ago in (100, 20):
        make.make_snapshot(release, 5_001, day=today - timedelta(days=ago))
        make.make_snapshot(fallen, 10_001, day=today - timedelta(days=ago))
        make.make_value(collection, 20_000, day=today - timedelta(days=ago))
    return collection


def choose(collection, currency: str, micros: int | None, *, ago: timedelta = timedelta(0), **chosen) -> None:
    Preferences.objects.update_or_create(user=collection.user, defaults={"currency": currency, **chosen})
    if micros:
        ExchangeRate.objects.create(
            currency=currency, micros_per_usd=micros, observed_at=timezone.now() - ago
        )


@pytest.fixture
def show(client, collection):
    client.force_login(collection.user)
    return lambda address: client.get(address).content.decode()


def data_of(html: str, name: str) -> dict[str, list[int | None]]:
    return json.loads(re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', html)[1])


@pytest.mark.parametrize("address", PAGES)
def test_every_page_uses_the_chosen_currency(show, collection, address):
    assert "$" in show(address)
    choose(collection, "EUR", EUR)
    html = show(address)
    assert "€" in html
    assert "$" not in html
    assert 'data-currency="USD"' not in html


def test_sum_is_converted_not_its_parts(show, collection):
    choose(collection, "EUR", EUR)
    # 2 × 100.01 + 50.01 = 250.03 USD = 187.52 EUR; the parts, rounded, are 75.01, 75.01 and 37.51.
    html = show("/dashboard/?range=all")
    assert '€187<span class="minor">.52</span>' in html
    assert "€187.52" in show("/collection/")
    assert "€150.02 together" in show(f"/release/{RELEASE}/")


def test_charts_are_converted_at_todays_rate(show, collection):
    choose(collection, "EUR", EUR)
    dashboard, release = show("/dashboard/?range=all"), show(f"/release/{RELEASE}/?range=all")
    value, history = data_of(dashboard, "value-data"), data_of(release, "history")
    assert [amount for amount in value["value"] if amount is not None] == [15_000, 15_000, 18_752]
    assert [amount for amount in history["price"] if amount is not None] == [3_751, 3_751]
    assert history["wants"][0] == 20
    assert 'data-currency="EUR"' in dashboard
    assert "€150.00" in dashboard
    assert "€37.51" in release


def test_yen_have_no_minor_unit_anywhere(show, collection):
    choose(collection, "JPY", JPY)
    html = show("/dashboard/?range=all")
    assert '¥37,822<span class="minor"></span>' in html
    assert 'data-currency="JPY"' in html
    assert 'data-exponent="0"' in html
    assert data_of(html, "value-data")["value"][-1] == 37_822


def test_changes_in_percent_are_of_the_prices(show, collection):
    before = re.findall(r"[\d.,]+ %", show("/dashboard/?range=all"))
    choose(collection, "JPY", JPY)
    assert re.findall(r"[\d.,]+ %", show("/dashboard/?range=all")) == before


@pytest.mark.parametrize("address", PAGES[:1] + PAGES[3:])
def test_page_names_its_rate_once(show, collection, address):
    assert "onverted from USD" not in show(address)
    choose(collection, "EUR", EUR)
    html = show(address)
    assert html.count("Converted from USD at the rate of") == 1
    assert "has not provided a newer one" not in html


def test_old_rate_is_shown_with_its_date(show, collection):
    choose(collection, "EUR", EUR, ago=timedelta(days=8))
    html = show("/dashboard/")
    day = timezone.now() - timedelta(days=8)
    assert re.search(rf"at the rate of {day.day} {day:%B} {day.year}; Discogs has not provided", html)
    assert "€187" in html


@pytest.mark.parametrize("address", PAGES[:1] + PAGES[3:])
def test_missing_rate_keeps_usd_and_says_why(show, collection, address):
    choose(collection, "EUR", None)
    html = show(address)
    assert "Amounts are shown in USD until an exchange rate for EUR is available." in html
    assert "It cannot be fetched until your connection works" not in html
    assert "$" in html
    assert "€" not in html
    assert 'data-currency="EUR"' not in html


@pytest.mark.parametrize("address", PAGES[:1] + PAGES[3:])
def test_page_says_if_connection_blocks_the_rate(show, collection, address):
    choose(collection, "EUR", None)
    type(collection).objects.update(state="reconnect_needed")
    html = show(address)
    assert "rate for EUR is available. It cannot be fetched until your connection works again." in html


def test_amounts_are_hidden_in_any_currency(show, collection):
    choose(collection, "EUR", EUR, hides_amounts=True)
    for address in PAGES:
        html = show(address)
        assert "€" not in html
        assert "$" not in html
        assert "187" not in html
        assert "Converted from USD" not in html


def test_another_users_choice_changes_nothing(show, collection):
    choose(make.make_connection("other"), "EUR", EUR)
    assert "€" not in show("/dashboard/")


def test_other_currencies_are_not_converted():
    """A price paid stays what was typed."""
    shown = display.Display(currency="EUR", rate=Rate("EUR", Decimal(2), timezone.now()))
    with display.active(lambda: shown):
        assert figures.money(1000, "GBP") == "£10.00"
        assert figures.money(1000, "USD") == "€20.00"
        assert figures.money_difference(Change(1000, 0), "USD") == "−€20.00"
        assert figures.money_round(1049, "USD") == "€21"
        assert amount(1000, "USD") == "$10.00"


def test_command_keeps_usd(collection):
    choose(collection, "EUR", EUR)
    out = StringIO()
    call_command("collection_value", user="collector", json=True, stdout=out)
    printed = json.loads(out.getvalue())
    assert (printed["estimated_value_minor"], printed["currency"]) == (25_003, "USD")


def test_usd_pages_query_no_rates(collection, django_assert_num_queries):
    with django_assert_num_queries(1):
        display_for(collection.user.pk, now=timezone.now())
    choose(collection, "EUR", EUR)
    with django_assert_num_queries(2):
        display_for(collection.user.pk, now=timezone.now())
