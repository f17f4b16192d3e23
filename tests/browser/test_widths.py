"""The header, and the collection's covers and columns, at every width."""

import pytest
from playwright.sync_api import Page, expect

from tests import factories as make
from tests.browser.test_pages import connection, log_in

__all__ = ["connection"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDTHS = (390, 480, 640, 768, 864, 865, 900, 1000, 1120, 1121, 1280)


SIZES = {True: 54, False: 41}  # px of a cover, on cards and in the table
MIN_TITLE = 140  # px


def sizes(page: Page, selector: str) -> list[dict[str, float]]:
    """The boxes of the visible elements, in one call: a call for each would take most of the tests' time."""
    found: list[dict[str, float]] = page.locator(selector).evaluate_all(
        "all => all.filter((it) => it.checkVisibility()).map((it) => it.getBoundingClientRect().toJSON())"
    )
    return found


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


LONG = "The Quiet Terminals Play the Night Train to the Harbour"  # two lines on a phone


@pytest.fixture
def long_titles(connection):
    make.make_price(make.make_copy(connection, make.make_release(title=LONG)).release, 1_999_900)
    return connection


def test_titles_take_two_lines_on_a_phone(live_server, browser_page, long_titles):
    log_in(browser_page, live_server.url, long_titles.user)
    for path in ("/dashboard/", "/collection/"):
        for width, lines in ((390, 2), (1280, 1)):
            browser_page.set_viewport_size({"width": width, "height": 900})
            browser_page.goto(live_server.url + path)
            shown = browser_page.get_by_text(LONG).last.evaluate(
                """element => { const cut = element.closest(".cut");
                return cut.clientHeight / parseFloat(getComputedStyle(cut).lineHeight); }"""
            )
            assert round(shown) == lines, (path, width)


def test_genres_are_not_cut(live_server, browser_page, connection):
    release = make.make_release(genres=["Folk, World, & Country"])
    make.make_price(make.make_copy(connection, release).release, 5000)
    log_in(browser_page, live_server.url, connection.user)
    browser_page.goto(f"{live_server.url}/dashboard/")
    label = browser_page.locator(".bars .cut", has_text="Folk, World")
    for width in WIDTHS:
        browser_page.set_viewport_size({"width": width, "height": 900})
        assert label.evaluate(
            "it => it.scrollWidth <= it.clientWidth && it.scrollHeight <= it.clientHeight + 1"
        )


def test_figures_of_tiles_stand_in_line(live_server, browser_page, connection):
    log_in(browser_page, live_server.url, connection.user)
    browser_page.goto(f"{live_server.url}/dashboard/")
    for width in WIDTHS:
        browser_page.set_viewport_size({"width": width, "height": 900})
        tops: dict[int, set[int]] = {}
        tiles, figures = sizes(browser_page, ".tile"), sizes(browser_page, ".tile dt + dd")
        for tile, figure in zip(tiles, figures, strict=True):
            tops.setdefault(round(tile["y"]), set()).add(round(figure["y"]))
        assert all(len(found) == 1 for found in tops.values()), (width, tops)
        assert len(tops) < len(tiles)


def test_settings_have_two_columns_where_wide(live_server, browser_page, connection):
    log_in(browser_page, live_server.url, connection.user)
    browser_page.goto(f"{live_server.url}/settings/")
    for width, columns in ((390, 1), (864, 1), (900, 2), (1280, 2)):
        browser_page.set_viewport_size({"width": width, "height": 900})
        assert len({round(box["x"]) for box in sizes(browser_page, ".panel")}) == columns, width
        assert browser_page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_landing_picture_can_be_read(live_server, browser_page, scheme):
    """On a phone it is a part of the page at its true size, two pixels of the file for each of the screen."""
    browser_page.emulate_media(color_scheme=scheme)
    for width, name in ((390, "value"), (900, "dashboard"), (1280, "dashboard")):
        browser_page.set_viewport_size({"width": width, "height": 900})
        browser_page.goto(live_server.url)
        picture = browser_page.locator(".pitch img")
        expect(picture).to_have_js_property("complete", True)
        source, shown, real = picture.evaluate(
            "it => [it.currentSrc, it.clientWidth / it.clientHeight, it.naturalWidth / it.naturalHeight]"
        )
        assert source.endswith(f"/img/{name}-{scheme}.webp")
        assert shown == pytest.approx(real, rel=0.01), width
    browser_page.set_viewport_size({"width": 390, "height": 900})
    assert browser_page.locator(".pitch img").evaluate("it => it.clientWidth / (it.naturalWidth / 2)") > 0.85
