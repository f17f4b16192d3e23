"""Pages on A4 paper, printed from the light and from the dark theme.

SCREENSHOTS=<directory> also saves a picture and a PDF of each, for review.
"""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from collections_app.models import DiscogsConnection
from pricing.money import format as written
from tests import factories as make
from tests.browser.test_pages import check, log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
RELEASE = 4711
COPIES = 60
A4 = {"width": 794 - 2 * 45, "height": 1123 - 2 * 49}  # px: the paper without its margins
PAGES = ("/dashboard/?range=all", "/collection/", "/collection/?print=all", f"/release/{RELEASE}/?range=all")
SCHEMES = ("light", "dark")


@pytest.fixture
def connection() -> DiscogsConnection:
    """More copies than fit on a page of the list, with a history each."""
    connection, now = make.make_connection(), timezone.now()
    make.fill_collection(connection, COPIES - 1, now=now - timedelta(hours=2))
    release = make.make_release(
        discogs_id=RELEASE,
        title="A rather long title of a record " * 2,
        artists="An Orchestra, and Others",
        genres=["Jazz"],
    )
    make.make_copy(connection, release, media_condition="Very Good Plus (VG+)", notes="warped")
    make.make_price(release, 123456, observed_at=now - timedelta(hours=2))
    for ago in range(0, 120, 3):
        make.make_snapshot(release, 120_000 - ago * 97 + ago % 7 * 900, day=now.date() - timedelta(days=ago))
    return connection


@pytest.fixture
def paper(live_server, browser_page, connection):
    """Open a page as it is printed."""
    log_in(browser_page, live_server.url, connection.user)
    browser_page.add_init_script("window.dialogs = 0; window.print = () => { window.dialogs += 1; };")

    def show(path: str, scheme: str = "light") -> Page:
        browser_page.emulate_media(media="null", color_scheme=scheme)
        browser_page.set_viewport_size({"width": 1280, "height": 900})
        browser_page.goto(live_server.url + path)
        if "dashboard" in path:
            browser_page.locator(".plot.live canvas").first.wait_for()
        keep_pdf(browser_page, path, scheme)
        browser_page.emulate_media(media="print", color_scheme=scheme)
        browser_page.set_viewport_size(A4)
        return browser_page

    return show


def keep_pdf(page: Page, path: str, scheme: str) -> None:
    if directory := os.environ.get("SCREENSHOTS"):
        name = f"{path.strip('/').replace('/', '-').replace('?', '-')}-{scheme}"
        page.emulate_media(color_scheme=scheme, media="null")
        page.pdf(path=Path(directory) / f"{name}.pdf", prefer_css_page_size=True)
        page.emulate_media(media="print", color_scheme=scheme)
        page.set_viewport_size(A4)
        page.wait_for_timeout(300)
        page.screenshot(path=Path(directory) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("path", PAGES)
def test_paper_has_head_but_no_controls(paper, path, scheme):
    page = paper(path, scheme)
    head = page.locator(".printed")
    expect(head).to_be_visible()
    expect(head).to_contain_text("Discogs user collector_at_discogs")
    expect(head).to_contain_text(f"Printed {written.day(timezone.now().date())}, ")
    controls = page.locator("button, input, select, form, .pills, .pager, nav, header, .eye, summary, kbd")
    assert [one.inner_html() for one in controls.all() if one.is_visible()] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("path", PAGES)
def test_paper_is_light(paper, path, scheme):
    page = paper(path, scheme)
    colours = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert colours == ["rgb(28, 25, 21)", "rgba(0, 0, 0, 0)"]
    for line in page.locator(".still .line, .tall .line").all():
        expect(line).to_be_visible()
        assert line.locator("path").last.evaluate("it => getComputedStyle(it).stroke") == "rgb(178, 63, 12)"
    for canvas in page.locator("canvas").all():
        expect(canvas).not_to_be_visible()


def test_paper_has_times_and_no_ages(paper):
    for path in ("/dashboard/?range=all", "/collection/", f"/release/{RELEASE}/?range=all"):
        page = paper(path)
        times = page.locator("time[title]").evaluate_all(
            """all => all.map((it) => ({ size: getComputedStyle(it).fontSize, title: JSON.stringify(it.title),
                content: getComputedStyle(it, "::after").content }))"""
        )
        assert times
        for time in times:
            assert (time["size"], time["content"]) == ("0px", time["title"])


def test_printed_list_says_what_is_missing(paper):
    page = paper("/collection/")
    assert page.locator(".copies").evaluate("it => getComputedStyle(it).display") == "table"
    assert page.locator(".copies thead").bounding_box()["height"] > 10
    assert page.locator(".copies tr").nth(1).evaluate("it => getComputedStyle(it).display") == "table-row"
    expect(
        page.get_by_text("50 of 60 copies. For the whole list, use “Print all 60 copies” on the site.")
    ).to_be_visible()


def test_print_all_opens_copies_and_dialog(live_server, browser_page, connection):
    log_in(browser_page, live_server.url, connection.user)
    browser_page.add_init_script("window.dialogs = 0; window.print = () => { window.dialogs += 1; };")
    browser_page.goto(f"{live_server.url}/collection/?genre=Jazz&sort=title")
    browser_page.get_by_role("link", name="Print all 30 copies").click()
    browser_page.wait_for_url("**/collection/?genre=Jazz&sort=title&print=all")
    expect(browser_page.locator(".sheet tbody tr")).to_have_count(30)
    expect(browser_page.get_by_text("Genre: Jazz")).to_be_visible()
    browser_page.wait_for_function("window.dialogs === 1")
    browser_page.get_by_role("link", name="Back to the collection").click()
    browser_page.wait_for_url("**/collection/?genre=Jazz&sort=title")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_printed_list_is_accessible_on_screen(live_server, browser_page, connection, scheme, width):
    log_in(browser_page, live_server.url, connection.user)
    browser_page.add_init_script("window.print = () => {};")
    check(browser_page, (scheme, width), f"{live_server.url}/collection/?print=all")


def test_list_for_paper_reads_well_on_screen(live_server, browser_page, connection):
    release = make.make_release(artists="An Orchestra " * 20, format="Cassette, Album", year=1987)
    make.make_copy(connection, release)
    log_in(browser_page, live_server.url, connection.user)
    browser_page.add_init_script("window.print = () => {};")
    browser_page.goto(f"{live_server.url}/collection/?print=all")
    for width in (1280, 390):
        browser_page.set_viewport_size({"width": width, "height": 900})
        assert browser_page.get_by_text("This page is for printing.").evaluate(
            "it => parseFloat(getComputedStyle(it).paddingTop)"
        )
        cell = browser_page.get_by_role("cell", name="Cassette · 1987")
        lines = "it => { const range = document.createRange(); range.selectNodeContents(it);\
            return new Set([...range.getClientRects()].map((each) => each.top)).size; }"
        assert cell.evaluate(lines) == 1, width
    browser_page.emulate_media(media="print")
    browser_page.set_viewport_size(A4)
    assert cell.evaluate(lines) == 1
    assert browser_page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_heading_stays_with_needs_attention(paper, connection):
    make.make_price(make.make_copy(connection).release, None, status="gone")
    needs = paper("/dashboard/").locator(".panel", has_text="Needs attention")
    assert needs.evaluate("it => getComputedStyle(it).breakInside") == "avoid"
    assert needs.bounding_box()["height"] < A4["height"] / 4
