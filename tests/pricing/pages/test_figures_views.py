import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from collections_app.models import CollectionInstance
from pricing.money.convert import Rate
from pricing.money.display import Display, active
from pricing.pages.charts import Change
from pricing.templatetags import figures


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (123450, "USD", "$1,234.50"),
        (5, "EUR", "€0.05"),
        (0, "GBP", "£0.00"),
        (123450, "JPY", "¥123,450"),
        (99, "CHF", "CHF 0.99"),
        (100, "SEK", "SEK 1.00"),
        (100, "BRL", "R$1.00"),
        (-5680, "USD", "−$56.80"),
        (None, "USD", "–"),
        (1_000_000_000_01, "USD", "$1,000,000,000.01"),
    ],
)
def test_money_is_exact_in_every_currency(minor, currency, text):
    assert figures.money(minor, currency) == text


def test_money_splits_into_major_and_minor():
    assert figures.money_major(1284650, "EUR") + figures.money_minor(1284650, "EUR") == "€12,846.50"
    assert figures.money_minor(12846, "JPY") == ""


def test_difference_carries_its_sign():
    assert figures.money_difference(Change(1000, 42230), "USD") == "+$412.30"
    assert figures.money_difference(Change(42230, 1000), "USD") == "−$412.30"


def test_money_moved_has_no_sign():
    assert figures.money_moved(Change(1000, 42230), "USD") == "$412.30"
    assert figures.money_moved(Change(42230, 1000), "USD") == "$412.30"


@pytest.mark.parametrize(("then", "now"), [(10_001, 10_100), (10_100, 10_001), (100_003, 100_010)])
@pytest.mark.parametrize("per_usd", ["0.8651", "0.75", "10.3471"])
def test_difference_matches_its_two_amounts(then, now, per_usd):
    def cents(text: str) -> int:
        return int(re.sub(r"\D", "", text))

    with active(lambda: Display(currency="EUR", rate=Rate("EUR", Decimal(per_usd), timezone.now()))):
        before, after = figures.money(then, "USD"), figures.money(now, "USD")
        difference = figures.money_difference(Change(then, now), "USD")
    assert abs(cents(after) - cents(before)) == cents(difference)
    assert difference[0] == ("+" if now > then else "−")


@pytest.mark.parametrize(
    ("part", "whole", "text"), [(412, 438, "94 %"), (999, 1000, "99 %"), (5, 5, "100 %"), (0, 0, "–")]
)
def test_share_is_100_only_if_complete(part, whole, text):
    assert figures.share(part, whole) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(10, "moments ago"), (60, "1 min ago"), (7300, "2 h ago"), (3 * 86400, "3 d ago")],
)
def test_age_is_short_with_its_time_in_title(seconds, text):
    html = figures.ago(timezone.now() - timedelta(seconds=seconds))
    assert text in html
    assert 'title="' in html
    assert "UTC" in html


def test_missing_time_is_never():
    assert figures.ago(None) == "never"


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "–"), (14, "14 s"), (240, "4 min"), (3600, "1 h"), (4800, "1 h 20 min")]
)
def test_duration_has_one_or_two_units(seconds, text):
    assert figures.duration(seconds) == text


@pytest.mark.parametrize(
    ("condition", "text"),
    [("Very Good Plus (VG+)", "VG+"), ("Near Mint (NM or M-)", "NM"), ("Not Graded", "Not Graded"), ("", "")],
)
def test_grade_is_shown_in_its_short_form(condition, text):
    assert figures.grade(condition) == text


@pytest.mark.parametrize(
    ("url", "is_shown"),
    [
        ("https://i.discogs.com/x.jpg", True),
        ("https://i.discogs.com.evil.example/x.jpg", False),
        ("javascript:alert(1)", False),
        ("http://i.discogs.com/x.jpg", False),
        ("", False),
    ],
)
def test_only_images_allowed_by_csp_are_shown(url, is_shown):
    assert bool(figures.picture(url)) is is_shown


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(1250, "EUR", "€12.50"), (1500, "JPY", "¥1,500"), (2000, "", "20.00"), (None, "", "–")],
)
def test_paid_price_keeps_its_currency(minor, currency, text):
    with active(lambda: Display(currency="JPY", rate=Rate("JPY", Decimal(150), timezone.now()))):
        assert figures.paid(CollectionInstance(paid_minor=minor, paid_currency=currency)) == text


def copy(**fields) -> CollectionInstance:
    own = {"Bought for": "12,50 €", "Shop": "Market", "Insured": "about 40", "Shelf": "12.50 EUR"}
    values = {"paid_minor": 1250, "paid_currency": "EUR", "custom_fields": own}
    return CollectionInstance(**{**values, **fields})


def test_hidden_amounts_hide_numbers_in_fields():
    own = [("Shop", "Market"), ("Insured", "about 40"), ("Shelf", "12.50 EUR")]
    assert figures.own_fields(copy(), "Bought for") == own
    with active(lambda: Display(hides_amounts=True)):
        assert figures.own_fields(copy(), "Bought for") == own[:1]
        assert "12" not in figures.paid(copy())


def test_unparsed_paid_price_is_shown_as_written():
    unread = copy(paid_minor=None, paid_currency="", custom_fields={"Bought for": "a song"})
    assert figures.own_fields(unread, "Bought for") == [("Bought for", "a song")]


def test_hidden_amounts_hide_notes_with_numbers():
    assert figures.own_notes(copy(notes="paid 45 in Utrecht")) == "paid 45 in Utrecht"
    with active(lambda: Display(hides_amounts=True)):
        assert figures.own_notes(copy(notes="paid 45 in Utrecht")) == figures.HIDDEN
        assert figures.own_notes(copy(notes="warped")) == "warped"
        assert figures.own_notes(copy(notes="")) == ""
