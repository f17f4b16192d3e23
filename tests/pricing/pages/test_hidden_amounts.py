"""Who hides amounts finds none on any page: not in the text, in attributes or in the data of charts."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from collections_app.models import CollectionField, Preferences
from pricing.models import MarketClass
from pricing.money import display
from pricing.money.format import amount
from pricing.pages.charts import Change, shape_of
from pricing.templatetags import figures
from tests import factories as make

pytestmark = pytest.mark.django_db

RELEASE = 4711
NOW_MINOR, THEN_MINOR, VALUE_MINOR = 76_543_21, 41_928_37, 58_736_29
PAID_MINOR, PAID = 31_427_00, "31,427"
PAGES = (
    "/dashboard/?range=all",
    "/dashboard/?range=all&group=folder",
    "/dashboard/headline/?range=all",
    "/accuracy/",
    "/collection/",
    "/collection/?sort=-change",
    "/collection/?print=all",
    f"/release/{RELEASE}/?range=all",
    "/syncs/",
    "/syncs/{run}/",
    "/syncs/{run}/progress/",
    "/settings/",
    "/collection/values/",
)


@pytest.fixture
def collection():
    """Movers in both directions, groups, history, two copies of one release."""
    collection, today = make.make_connection(), timezone.now().date()
    release = make.make_release(discogs_id=RELEASE, genres=["Jazz"])
    CollectionField.objects.create(connection=collection, discogs_id=7, name="Bought for", role="paid")
    own = {"Bought for": PAID, "Insured": f"for {PAID}"}
    written = {"notes": f"{PAID} at the fair", "custom_fields": own, "paid_minor": PAID_MINOR}
    for _ in range(2):
        make.make_copy(collection, release, **written)
    make.make_price(release, NOW_MINOR, observed_at=timezone.now() - timedelta(days=9), prior_variance=0.02)
    make.make_copy(collection)  # without a price
    add_class()
    fallen = make.make_copy(collection, make.make_release(genres=["Rock"])).release
    make.make_price(fallen, THEN_MINOR)
    for ago in (100, 60, 20):
        make.make_snapshot(release, THEN_MINOR, day=today - timedelta(days=ago))
        make.make_snapshot(fallen, NOW_MINOR, day=today - timedelta(days=ago))
        make.make_value(collection, VALUE_MINOR, day=today - timedelta(days=ago))
    return collection


def add_class() -> None:
    MarketClass.objects.create(
        listings_band=0,
        price_band=0,
        releases=1,
        s2=0,
        exposure_days=0,
        variance=0.02,
        p10_minor=THEN_MINOR,
        median_minor=THEN_MINOR,
        p90_minor=NOW_MINOR,
    )


def hide(collection) -> None:
    Preferences.objects.update_or_create(user=collection.user, defaults={"hides_amounts": True})


def amounts_in(html: str) -> list[str]:
    """Anything with a sign of money, and the amounts of the collection and their sums however they are written."""
    total = 2 * NOW_MINOR + THEN_MINOR
    known = (NOW_MINOR, THEN_MINOR, VALUE_MINOR, total, 2 * NOW_MINOR, total - VALUE_MINOR, PAID_MINOR)
    digits = {part for n in known for part in (str(n), f"{n // 100:,}", str(n // 100))}
    found = [text for text in digits if text in html]
    return found + re.findall(r"[$€£¥]\s?[\d.,]+|data-currency|data-exponent", html)


def pages(client, collection) -> dict[str, str]:
    found = {"rose": 2, "fell": 1, "found_minor": THEN_MINOR, "expected_variance": float(THEN_MINOR) ** 2}
    narrowed = {
        "half_before_minor": NOW_MINOR,
        "predicted_half_minor": THEN_MINOR,
        "reached_half_minor": THEN_MINOR,
    }
    run = make.make_run(collection, "finished", **found, **narrowed)
    client.force_login(collection.user)
    return {
        address: client.get(address.format(run=run.pk), follow=True).content.decode() for address in PAGES
    }


def test_hidden_amounts_are_on_no_page(client, collection):
    hide(collection)
    assert {
        address: found for address, html in pages(client, collection).items() if (found := amounts_in(html))
    } == {}


def test_amount_search_finds_shown_amounts(client, collection):
    html = pages(client, collection)
    for address in PAGES[:7]:
        assert len(amounts_in(html[address])) > 2, address


def test_owners_notes_return_with_amounts(client, collection):
    html = pages(client, collection)[PAGES[7]]
    assert "31,427 at the fair" in html
    assert "Insured: for 31,427" in html
    assert "Bought for:" not in html


def test_counts_shares_and_shape_stay(client, collection):
    hide(collection)
    html = pages(client, collection)
    dashboard, release = html[PAGES[0]], html[PAGES[7]]
    assert dashboard.count("•••") > 8
    assert '<span class="vh">hidden</span>' in dashboard
    assert "3 of 4 priced" in dashboard
    assert "82.6 %" in dashboard
    assert '"priced": [1, ' in dashboard
    assert '"value": [1000, ' in dashboard
    assert '"price": [1000, ' in release
    assert '"wants": [20, ' in release
    assert 'class="spark"' in html["/collection/"]


def test_attributes_hold_no_markup(client, collection):
    hide(collection)
    for address, html in pages(client, collection).items():
        for tag in re.findall(r'="[^"]*"', html):
            assert "•••" not in tag, address
            assert "&lt;span" not in tag, address


def test_missing_amount_is_still_a_dash():
    with display.active(lambda: display.Display(hides_amounts=True)):
        assert figures.money(None, "USD") == figures.money_in_words(None, "USD") == "–"
        assert figures.money(1, "USD") == figures.HIDDEN
        assert figures.money_difference(Change(2, 1), "USD") == figures.HIDDEN
        assert figures.money_moved(Change(2, 1), "USD") == figures.HIDDEN
        assert figures.money_in_words(1, "USD") == "hidden"
        assert figures.money_minor(1, "USD") == ""
        assert amount(1, "USD") == "$0.01"


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        ([], []),
        ([None, None], [None, None]),
        ([7], [1000]),
        ([5, 5, 5], [1000, 1000, 1000]),
        ([100, None, 300, 200], [1000, None, 2000, 1500]),
    ],
)
def test_line_shape_has_no_amounts(values, shape):
    assert shape_of(values) == shape
    assert shape_of([value and value * 1000 for value in values]) == shape


# The button ------------------------------------------------------------------------------------------


def press(client, hide: str, **query):
    return client.post("/settings/amounts/", {"hide": hide, **query})


def test_dashboard_eye_returns_to_its_page(client, collection):
    client.force_login(collection.user)
    address = "/dashboard/?range=1m&group=decade"
    html = client.get(address).content.decode()
    assert 'name="next" value="/dashboard/?range=1m&amp;group=decade"' in html
    assert "Hide amounts" in html
    assert press(client, "1", next=address).url == address
    html = client.get(address).content.decode()
    assert "Show amounts" in html
    assert not amounts_in(html)
    press(client, "0", next=address)
    assert amounts_in(client.get(address).content.decode())


def test_double_click_on_the_eye_counts_once(client, collection):
    Preferences.objects.create(
        user=collection.user, currency="GBP", time_zone="Asia/Tokyo", sync_every_hours=6
    )
    client.force_login(collection.user)
    press(client, "1")
    press(client, "1")
    chosen = Preferences.objects.get()
    assert chosen.hides_amounts
    assert (chosen.currency, chosen.time_zone, chosen.sync_every_hours) == ("GBP", "Asia/Tokyo", 6)


def test_eye_changes_own_pages_only(client, collection):
    other = make.make_connection("other")
    client.force_login(collection.user)
    press(client, "1", user=other.user.pk)
    assert Preferences.objects.get().user == collection.user
    assert client.get("/settings/amounts/").status_code == 405
    client.logout()
    assert "/account/login/" in press(client, "0").url
    assert Preferences.objects.get().hides_amounts


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "http:evil.example",
        "javascript:alert(1)",
        "dashboard",
        "evil.example",
        "\x08//evil.example",
        "",
    ],
)
def test_eye_redirects_to_no_other_site(client, collection, address):
    client.force_login(collection.user)
    assert press(client, "1", next=address).url == "/dashboard/"
