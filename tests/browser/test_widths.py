"""The header, and the collection's covers and columns, at every width."""

import pytest
from playwright.sync_api import Page

from tests import factories as make
from tests.browser.test_pages import connection, log_in

__all__ = ["connection"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDTHS = (390, 480, 640, 768, 864, 865, 900, 1000, 1120, 1121, 1280)


SIZES = {True: 54, False: 41}  # px of a cover, on cards and in the table
MIN_TITLE = 140  # px


def sizes(page: Page, selector: str) -> list[dict[str, float]]:
    return [box for each in page.locator(selector).all() if (box := each.bounding_box())]


def test_covers_keep_their_size_at_every_width(live_server, browser_page, connection):
    log_in(browser_page, live_server.url, connection.user)
    make.make_price(make.make_copy(connection).release, 99_999_900, num_for_sale=12_345, want=123_456)
    browser_page.goto(f"{live_server.url}/collection/")
    for width in WIDTHS:
        browser_page.set_viewport_size({"width": width, "height": 900})
        covers = {(int(box["width"]), int(box["height"])) for box in sizes(browser_page, ".copies .cover")}
        size = SIZES[width <= 864]
        assert covers == {(size, size)}, width
        assert min(box["width"] for box in sizes(browser_page, ".copies .c-title")) >= MIN_TITLE, width
        assert browser_page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        if width <= 864:
            prices, cards = (
                sizes(browser_page, ".copies .c-price span"),
                sizes(browser_page, ".copies tbody tr"),
            )
            edges = {round(box["x"] + box["width"]) for box in (*prices, *cards)}
            assert len(edges) == 1, f"{width}: prices do not end at the edge of their cards"


def test_header_fits_at_every_width(live_server, browser_page, connection):
    log_in(browser_page, live_server.url, connection.user)
    browser_page.goto(f"{live_server.url}/collection/")
    for width in WIDTHS:
        browser_page.set_viewport_size({"width": width, "height": 900})
        (bar,) = sizes(browser_page, ".bar")
        (live,) = sizes(browser_page, ".live")
        (mark,) = sizes(browser_page, ".bar .mark svg")
        assert int(mark["width"]) == 25, width
        assert live["x"] + live["width"] <= bar["x"] + bar["width"] + 0.5, width


def test_key_hint_is_in_the_pages_font(live_server, browser_page, connection):
    log_in(browser_page, live_server.url, connection.user)
    browser_page.goto(f"{live_server.url}/collection/")
    font = "element => getComputedStyle(element).fontFamily"
    assert browser_page.locator(".find kbd").evaluate(font) == browser_page.locator("body").evaluate(font)
