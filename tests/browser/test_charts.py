"""Charts in a real browser: with and without scripts, in forced colours, with amounts hidden.

SCREENSHOTS=<directory> also saves a screenshot of each, for review.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from collections_app.models import DiscogsConnection, Preferences
from pricing.money import format as written
from tests import factories as make
from tests.browser.test_pages import keep_picture, log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PRICED, UNPRICED = 4711, 4712
WIDTHS = (1280, 390)


@pytest.fixture
def connection() -> DiscogsConnection:
    """A release whose price has a gap, one without any price, and a history of the value."""
    connection, now = make.make_connection(), timezone.now()
    copies = [
        make.make_copy(connection, make.make_release(discogs_id=number), added_at=now - timedelta(days=400))
        for number in (PRICED, UNPRICED)
    ]
    make.make_price(copies[0].release, 123456, num_for_sale=7, want=31)
    make.make_price(copies[1].release, None, num_for_sale=0, want=3)
    for ago in range(120, -1, -2):
        day = now.date() - timedelta(days=ago)
        amount = None if 40 < ago < 60 else 123456 - ago * 97 + (ago % 7) * 900
        make.make_snapshot(copies[0].release, amount, day=day, num_for_sale=7 + ago % 3, want=31 - ago // 20)
        make.make_snapshot(copies[1].release, None, day=day, num_for_sale=0, want=3)
        make.make_value(connection, 123456 - ago * 97 + (ago % 7) * 900, day=day, instances=2)
    return connection


@pytest.fixture
def plain_page(live_server, browser: Browser, connection) -> Iterator[Page]:
    """A page without scripts."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    log_in(page, live_server.url, connection.user)
    yield page
    context.close()


def chosen(connection: DiscogsConnection, **fields: object) -> None:
    Preferences.objects.update_or_create(user=connection.user, defaults=fields)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_chart_is_drawn_without_scripts(live_server, plain_page, scheme, width):
    plain_page.emulate_media(color_scheme=scheme)
    plain_page.set_viewport_size({"width": width, "height": 900})
    for path, lines in (("/dashboard/?range=all", 1), (f"/release/{PRICED}/?range=all", 3)):
        plain_page.goto(live_server.url + path)
        keep_picture(plain_page, f"plain-{scheme}-{width}-{path.split('/')[1]}")
        expect(plain_page.locator(".line")).to_have_count(lines)
        for line in plain_page.locator(".line").all():
            expect(line).to_be_visible()
        assert plain_page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_drawn_gap_is_a_gap(live_server, plain_page):
    plain_page.goto(f"{live_server.url}/release/{PRICED}/?range=all")
    paths = plain_page.locator(".band .line").first.locator("path:not(.grid, .fill, .lone, .dot)")
    expect(paths).to_have_count(2)
    before, after = (paths.nth(number).bounding_box() for number in (0, 1))
    assert after["x"] - before["x"] - before["width"] > 100


def test_drawing_has_labels_beside_the_line(live_server, plain_page):
    plain_page.goto(f"{live_server.url}/release/{PRICED}/?range=all")
    plot = plain_page.locator(".area")
    line, last = (plot.locator(where).first.bounding_box() for where in (".line", ".last"))
    assert plot.locator(".last").first.text_content() == "$1,234.56"
    assert last["x"] > line["x"] + line["width"]
    for scale in plot.locator(".scale").all():
        last = scale.locator(".last").bounding_box()
        boxes = [text.bounding_box() for text in scale.locator("text:not(.last)").all()]
        assert boxes
        assert all(abs(box["y"] - last["y"]) >= last["height"] for box in boxes)
    expect(plain_page.locator(".legend")).to_contain_text(written.day(timezone.now().date()))


@pytest.mark.parametrize("width", WIDTHS)
def test_scripts_replace_the_drawing_in_place(live_server, plain_page, browser_page, connection, width):
    log_in(browser_page, live_server.url, connection.user)
    for path in ("/dashboard/?range=all", f"/release/{PRICED}/?range=all"):
        boxes = []
        for page in (plain_page, browser_page):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(live_server.url + path)
            if page is browser_page and "dashboard" in path:
                page.locator(".plot.live canvas").last.wait_for()
                expect(page.locator(".plot.live .still").first).not_to_be_visible()
            plots = [plot.bounding_box() for plot in page.locator(".plot, .bands").all()]
            boxes.append([plots, page.locator("footer").bounding_box()])
        assert boxes[0] == boxes[1]


def test_hidden_drawing_has_shape_but_no_figures(live_server, plain_page, connection):
    chosen(connection, hides_amounts=True)
    plain_page.goto(f"{live_server.url}/release/{PRICED}/?range=all")
    price, listings = (plain_page.locator(".band").nth(number) for number in (0, 1))
    expect(price.locator(".line path:not(.grid, .fill, .lone, .dot)")).to_have_count(2)
    assert set(price.locator("text").all_text_contents()) == {"low •••", "high •••"}
    scales = plain_page.locator(".scale")
    assert "".join(scales.nth(0).locator("text").all_text_contents()) == "•••"
    assert scales.nth(1).locator(".last").text_content() == "7"
    expect(listings).to_be_visible()
    html = plain_page.content()
    assert "1,234" not in html
    assert "123456" not in html


def test_chart_without_a_price_says_so(live_server, plain_page, browser_page, connection):
    log_in(browser_page, live_server.url, connection.user)
    for page in (plain_page, browser_page):
        page.goto(f"{live_server.url}/release/{UNPRICED}/?range=all")
        expect(page.get_by_text("No price is known in this range.")).to_be_visible()
        expect(page.locator(".band")).to_have_count(2)
        keep_picture(page, f"unpriced-{'plain' if page is plain_page else 'live'}")
        assert "$0" not in page.locator(".bands").text_content()


@pytest.mark.parametrize("locale", ["en", "de", "fr", "hu", "ja"])
def test_tooltip_reads_as_the_page_does(live_server, browser_page, connection, locale):
    chosen(connection, locale=locale)
    log_in(browser_page, live_server.url, connection.user)
    browser_page.goto(f"{live_server.url}/dashboard/?range=all")
    over = browser_page.locator(".plot .u-over").first
    over.hover(position={"x": over.bounding_box()["width"] - 2, "y": 40})
    tip = browser_page.locator(".tip").first
    expect(tip.locator(".when")).to_contain_text(written.day(timezone.now().date(), locale))
    fonts = [
        browser_page.locator(where).first.evaluate("it => getComputedStyle(it).fontFamily")
        for where in (".tip", "body")
    ]
    assert fonts[0] == fonts[1]
    assert "Instrument Sans" in fonts[0]
    keep_picture(browser_page, f"tooltip-{locale}")


COLOURS = """canvas => {
  const copy = Object.assign(document.createElement("canvas"), {width: canvas.width, height: canvas.height});
  const pen = copy.getContext("2d", {willReadFrequently: true});
  pen.drawImage(canvas, 0, 0);
  const found = new Set(), {data} = pen.getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 0; at < data.length; at += 4) if (data[at + 3] === 255) found.add(data.slice(at, at + 3).join(", "));
  return [...found].map(rgb => `rgb(${rgb})`);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forced_colours_keep_labels_apart(live_server, browser_page, connection, scheme):
    log_in(browser_page, live_server.url, connection.user)
    browser_page.emulate_media(color_scheme=scheme, forced_colors="active")
    browser_page.goto(f"{live_server.url}/dashboard/?range=all")
    canvas = browser_page.locator(".plot.live canvas").first
    canvas.wait_for()
    keep_picture(browser_page, f"forced-{scheme}-dashboard")
    link, text = (system_colour(browser_page, name) for name in ("LinkText", "CanvasText"))
    assert link != text
    assert {link, text} <= set(canvas.evaluate(COLOURS))
    browser_page.goto(f"{live_server.url}/release/{PRICED}/?range=all")
    keep_picture(browser_page, f"forced-{scheme}-release")
    band = browser_page.locator(".band.tall")
    assert band.locator(".dot").evaluate("it => getComputedStyle(it).stroke") == link
    assert browser_page.locator(".last").first.evaluate("it => getComputedStyle(it).fill") == text


def system_colour(page: Page, name: str) -> str:
    return page.evaluate(
        "name => { const probe = document.createElement('i'); probe.style.color = name;"
        " document.body.append(probe); return getComputedStyle(probe).color; }",
        name,
    )
