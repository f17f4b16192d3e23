"""The page of a release in a real browser: the ladder, the owner's copies, the chart of bands and its cursor.

SCREENSHOTS=<directory> also saves a screenshot of each, for review.
"""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from collections_app.models import CollectionField, DiscogsConnection, Preferences
from pricing.models import PriceSnapshot
from pricing.money import format as written
from tests import factories as make
from tests.browser.test_pages import LOOKS, check, keep_picture, log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
RELEASE, UNPRICED, UNKNOWN = 4711, 4712, 4713


@pytest.fixture
def connection() -> DiscogsConnection:
    """Two copies of a release with a suggestion and a history, one that is not for sale any more, and a new one."""
    connection, now = make.make_connection(has_seller_settings=True), timezone.now()
    CollectionField.objects.create(connection=connection, discogs_id=7, name="Paid", role="paid")
    release = make.make_release(
        discogs_id=RELEASE,
        title="Maiden Voyage",
        artists="Herbie Hancock",
        labels="Blue Note",
        catalog_number="BST 84195",
        genres=["Jazz"],
        styles=["Modal", "Post Bop"],
    )
    shelf = make.make_folder(connection, "Jazz, upper shelf")
    make.make_copy(
        connection,
        release,
        folder=shelf,
        media_condition="Very Good Plus (VG+)",
        sleeve_condition="Very Good (VG)",
        paid_minor=2400,
        paid_currency="USD",
    )
    make.make_copy(connection, release, folder=shelf, paid_minor=3000, paid_currency="EUR")
    suggested = {"near_mint_minor": 8400, "near_mint_at": now - timedelta(days=2)}
    learned = {"s2": 0.14, "exposure_days": 120, "prior_variance": 0.002}
    market = {"num_for_sale": 12, "want": 412, "have": 1310, "rating_count": 86, "rating_average": 4.41}
    make.make_price(release, 3150, observed_at=now - timedelta(minutes=20), **suggested, **learned, **market)
    for ago in range(120, -1, -2):
        amount = None if 40 < ago < 60 else 3150 - ago * 7 + (ago * 37 % 11 - 5) * 45 * (ago > 0)
        facts = {"num_for_sale": 12 + ago // 9 + ago % 3, "want": 412 - ago // 4, "have": 1310 - ago // 3}
        make.make_snapshot(release, amount, day=now.date() - timedelta(days=ago), **facts)
    last = {"last_minor": 1200, "last_priced_at": now - timedelta(days=40)}
    since = {"status_since": now - timedelta(days=39), "num_for_sale": 0, "want": 3, "have": 9}
    sold_out = make.make_copy(connection, make.make_release(discogs_id=UNPRICED)).release
    make.make_price(sold_out, None, **last, **since)
    for ago in (45, 42, 30, 20, 0):
        amount = 1200 if ago > 40 else None
        make.make_snapshot(sold_out, amount, day=now.date() - timedelta(days=ago), num_for_sale=0, want=3)
    make.make_copy(connection, make.make_release(discogs_id=UNKNOWN))
    return connection


@pytest.mark.parametrize("look", LOOKS)
def test_release_page_is_accessible(live_server, browser_page, connection, look):
    log_in(browser_page, live_server.url, connection.user)
    for release in (RELEASE, UNPRICED, UNKNOWN):
        check(browser_page, look, f"{live_server.url}/release/{release}/?range=all")


def history_of(page: Page, address: str) -> Locator:
    page.goto(f"{address}/release/{RELEASE}/?range=all")
    return page.locator(".bands")


def test_cursor_tells_all_figures_of_a_day(live_server, browser_page, connection):
    log_in(browser_page, live_server.url, connection.user)
    chart = history_of(browser_page, live_server.url)
    newest = chart.locator(".legend").inner_text()
    area, axis = chart.locator(".area"), chart.locator(".axis")
    for look in ("light", "dark"):
        browser_page.emulate_media(color_scheme=look)
        area.hover(position={"x": axis.bounding_box()["width"] / 4, "y": 60})
        expect(chart.locator(".cursor")).to_be_visible()
        keep_picture(browser_page, f"cursor-{look}")
    row = PriceSnapshot.objects.get(release=RELEASE, day=timezone.now().date() - timedelta(days=90))
    expect(chart.locator("[data-day]")).to_have_text(written.day(row.day))
    texts = [written.amount(row.amount_minor, "USD"), str(row.num_for_sale), str(row.want)]
    assert chart.locator("[data-value]").all_inner_texts() == texts
    line = chart.locator(".cursor").bounding_box()
    assert [point.is_visible() for point in chart.locator(".band i").all()] == [True] * 3
    for band in chart.locator(".band").all():
        box, point = band.bounding_box(), band.locator("i").bounding_box()
        assert abs(point["x"] + point["width"] / 2 - line["x"]) < 2
        assert box["y"] <= point["y"] + 5 <= box["y"] + box["height"]
        assert line["y"] <= box["y"]
        assert line["y"] + line["height"] >= box["y"] + box["height"]
    browser_page.mouse.move(0, 0)
    expect(chart.locator(".cursor")).not_to_be_visible()
    assert chart.locator(".legend").inner_text() == newest


def test_cursor_passes_a_day_without_a_price(live_server, browser_page, connection):
    log_in(browser_page, live_server.url, connection.user)
    chart = history_of(browser_page, live_server.url)
    width = chart.locator(".axis").bounding_box()["width"]
    chart.locator(".area").hover(position={"x": width * 70 / 120, "y": 60})
    expect(chart.locator("[data-value=price]")).to_have_text("–")
    expect(chart.locator("[data-value=wants]")).not_to_have_text("–")
    expect(chart.locator(".band.tall i")).not_to_be_visible()


def test_keyboard_moves_the_cursor(live_server, browser_page, connection):
    log_in(browser_page, live_server.url, connection.user)
    chart = history_of(browser_page, live_server.url)
    slider = browser_page.get_by_label("Day of the chart")
    slider.focus()
    today = timezone.now().date()
    expect(chart.locator("[data-day]")).to_have_text(written.day(today))
    browser_page.keyboard.press("ArrowLeft")
    expect(chart.locator("[data-day]")).to_have_text(written.day(today - timedelta(days=2)))
    assert written.day(today - timedelta(days=2)) in slider.get_attribute("aria-valuetext")
    keep_picture(browser_page, "slider")
    assert Axe().run(browser_page).violations_count == 0


def test_cursor_of_hidden_amounts_tells_counts_only(live_server, browser_page, connection):
    Preferences.objects.update_or_create(user=connection.user, defaults={"hides_amounts": True})
    log_in(browser_page, live_server.url, connection.user)
    chart = history_of(browser_page, live_server.url)
    chart.locator(".area").hover(position={"x": 2, "y": 60})
    first = PriceSnapshot.objects.filter(release=RELEASE).earliest("day")
    expect(chart.locator("[data-day]")).to_have_text(written.day(first.day))
    assert chart.locator("[data-value]").all_inner_texts() == [
        "•••",
        str(first.num_for_sale),
        str(first.want),
    ]
    keep_picture(browser_page, "release-hidden")


def test_ladder_marks_the_lowest_listing_in_its_place(live_server, browser_page, connection):
    log_in(browser_page, live_server.url, connection.user)
    browser_page.goto(f"{live_server.url}/release/{RELEASE}/")
    ladder = browser_page.get_by_role("table", name="What Discogs suggests")
    rows = [" ".join(row.inner_text().split()) for row in ladder.get_by_role("row").all()[1:]]
    assert rows[2:5] == [
        "Very Good Plus VG+ my copy $64.24",
        "Very Good VG $44.47",
        "Lowest listing 12 for sale $31.50",
    ]
    bars = {row.inner_text().split()[-1]: row.locator("rect") for row in ladder.locator("tr:has(rect)").all()}
    widths = [bar.bounding_box()["width"] for bar in bars.values()]
    assert widths == sorted(widths, reverse=True)
    floor = ladder.locator("circle").bounding_box()
    bar = bars["$24.71"].bounding_box()
    assert (floor["x"] + floor["width"] / 2 - bar["x"]) / bar["width"] == pytest.approx(
        31.5 / 24.71, rel=0.02
    )
