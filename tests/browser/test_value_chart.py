"""The chart of the dashboard in a real browser: what was paid, purchases, the start, and the like-for-like index.

SCREENSHOTS=<directory> also saves a screenshot of each, for review.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from collections_app.models import DiscogsConnection, Preferences
from pricing.models import MarketDay
from pricing.money import format as written
from tests import factories as make
from tests.browser.test_pages import LOOKS, check, keep_picture, log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
COPIES, PRICE = 40, 2450
ADDED = {70: 3, 69: 1, 30: 2, 12: 1}  # copies by the number of days ago
SHIFT = """() => new Promise(done => {
  const sum = list => list.getEntries().reduce((all, entry) => all + entry.value, 0);
  new PerformanceObserver(list => done(sum(list))).observe({type: "layout-shift", buffered: true});
  setTimeout(done, 300, 0);
})"""


@pytest.fixture
def connection() -> DiscogsConnection:
    """Forty copies, some of them bought in the range, half of them with a price paid."""
    connection, now = make.make_connection(), timezone.now()
    ages = [ago for ago, copies in ADDED.items() for _ in range(copies)]
    for number in range(COPIES):
        age = ages[number] if number < len(ages) else 500
        paid = (
            {"paid_minor": 900 + 40 * number, "paid_currency": "USD" if number % 4 else "EUR"}
            if number % 2
            else {}
        )
        copy = make.make_copy(connection, added_at=now - timedelta(days=age), **paid)
        make.make_price(copy.release, PRICE, num_for_sale=7, want=31)
    make.make_copy(connection, paid_minor=500, added_at=now - timedelta(days=500))
    for ago in range(90, -1, -1):
        day, held = now.date() - timedelta(days=ago), COPIES - sum(n for age, n in ADDED.items() if age < ago)
        price = PRICE - ago * 4 + (ago * 37 % 11 - 5) * 3
        moved = {"like_minor": held * price, "price_minor": held * (4 - (ago * 37 % 11 - 5))}
        make.make_value(connection, held * price, day=day, instances=held, priced=held, **moved)
        if 1 < ago < 60:
            MarketDay.objects.create(
                day=day, before_minor=100_000, after_minor=100_000 + ago % 7 * 40, releases=9
            )
    return connection


@pytest.fixture
def plain_page(live_server, browser: Browser, connection) -> Iterator[Page]:
    """A page without scripts."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    log_in(page, live_server.url, connection.user)
    yield page
    context.close()


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("chart", ["", "&chart=index"])
def test_chart_is_accessible_and_still(live_server, browser_page, connection, look, chart):
    log_in(browser_page, live_server.url, connection.user)
    check(browser_page, look, f"{live_server.url}/dashboard/?range=all{chart}")
    browser_page.reload()  # with the font in the browser's cache: only the chart may move things
    browser_page.locator(".plot.live canvas").wait_for()
    assert browser_page.evaluate(SHIFT) == 0


@pytest.mark.parametrize("width", [1280, 390])
def test_chart_without_scripts_has_everything(live_server, plain_page, width):
    plain_page.set_viewport_size({"width": width, "height": 900})
    plain_page.goto(f"{live_server.url}/dashboard/?range=all")
    keep_picture(plain_page, f"value-plain-{width}")
    expect(plain_page.locator(".still .second")).to_have_count(1)
    expect(plain_page.locator(".still .start")).to_have_count(1)
    expect(plain_page.locator(".still .bought circle")).to_have_count(3)  # neighbours are one
    point, line = (
        plain_page.locator(where).last.bounding_box() for where in (".bought circle", ".still .dot")
    )
    assert 0 < point["y"] - line["y"] < 20  # on the line, a little below its end
    expect(plain_page.locator(".lines")).to_contain_text("Invested: 20 of 41 copies have a price paid")
    plain_page.get_by_role("link", name="Like for like", exact=True).click()
    keep_picture(plain_page, f"index-plain-{width}")
    expect(plain_page.locator(".lines .second")).to_contain_text("The market")
    plain_page.get_by_role("link", name="1M", exact=True).click()
    expect(plain_page.get_by_role("link", name="Like for like", exact=True)).to_have_attribute(
        "aria-current", "true"
    )
    assert plain_page.url.endswith("?range=1m&chart=index")
    plain_page.goto(f"{live_server.url}/dashboard/")
    expect(plain_page.get_by_role("link", name="Value", exact=True)).to_have_attribute("aria-current", "true")


def hover(page: Page, ago: int, of: int = 90) -> str:
    """The legend of the cursor at a day."""
    over = page.locator(".plot.live .u-over")
    width = over.bounding_box()["width"]
    over.hover(position={"x": width * (of - ago) / of, "y": 40})
    return page.locator(".tip").inner_text()


def test_cursor_tells_what_was_paid_and_added(live_server, browser_page, connection):
    log_in(browser_page, live_server.url, connection.user)
    browser_page.goto(f"{live_server.url}/dashboard/?range=all")
    browser_page.locator(".plot.live canvas").wait_for()
    text = hover(browser_page, 70)
    keep_picture(browser_page, "value-cursor")
    assert "Invested $" in text
    assert "3 copies added" in text
    assert written.day(timezone.now().date() - timedelta(days=70)) in text
    assert "1 copy added" in hover(browser_page, 12)
    assert "added" not in hover(browser_page, 50)


def test_cursor_tells_both_indexes(live_server, browser_page, connection):
    log_in(browser_page, live_server.url, connection.user)
    browser_page.goto(f"{live_server.url}/dashboard/?range=1m&chart=index")
    browser_page.locator(".plot.live canvas").wait_for()
    text = hover(browser_page, 30, of=30)
    keep_picture(browser_page, "index-cursor")
    assert text.split("\n")[::2] == ["100.0", "The market 100.0"]


def test_hidden_chart_has_shapes_but_no_figures(live_server, browser_page, connection):
    Preferences.objects.update_or_create(user=connection.user, defaults={"hides_amounts": True})
    log_in(browser_page, live_server.url, connection.user)
    browser_page.goto(f"{live_server.url}/dashboard/?range=all")
    browser_page.locator(".plot.live canvas").wait_for()
    assert "Invested •••" in hover(browser_page, 70)
    keep_picture(browser_page, "value-hidden")
    assert "$" not in browser_page.content()
