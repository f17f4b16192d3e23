"""The filters of the collection: by keyboard, with the Back button, and without JavaScript."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests import factories as make
from tests.browser.test_back import go_back
from tests.browser.test_pages import log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def connection():
    connection = make.make_connection()
    make.make_price(make.make_copy(connection, make.make_release(genres=["Jazz"])).release, 1000)
    make.make_price(make.make_copy(connection, make.make_release(genres=["Rock"])).release, 2000)
    return connection


@pytest.fixture
def collection(live_server, browser_page, connection) -> Page:
    log_in(browser_page, live_server.url, connection.user)
    browser_page.goto(f"{live_server.url}/collection/")
    return browser_page


@pytest.fixture(params=[True, False], ids=["bfcache", "no-bfcache"])
def ordinary_page(browser_type, browser_type_launch_args, request) -> Iterator[Page]:
    """Playwright's default settings disable the back-forward cache; browsers use it if they can."""
    keeps = {"ignore_default_args": ["--disable-back-forward-cache"]} if request.param else {}
    browser = browser_type.launch(**browser_type_launch_args, **keeps)
    yield browser.new_page()
    browser.close()


def test_arrow_keys_apply_no_filter(collection):
    address = collection.url
    collection.focus("#by-genre")
    for _ in range(2):
        collection.keyboard.press("ArrowDown")
        collection.wait_for_timeout(300)
    assert collection.url == address
    expect(collection.locator("#by-genre")).to_be_focused()
    expect(collection.locator("#by-genre")).to_have_value("Rock")
    expect(collection.locator(".copies tbody tr")).to_have_count(2)


def test_apply_button_filters_and_keeps_the_focus(collection):
    apply = collection.get_by_role("button", name="Apply")
    expect(apply).to_have_class("btn plain")
    collection.select_option("#by-genre", "Rock")
    expect(apply).to_have_class("btn")
    apply.focus()
    collection.keyboard.press("Enter")
    collection.wait_for_url("**/collection/?genre=Rock")
    expect(collection.locator(".copies tbody tr")).to_have_count(1)
    expect(collection.get_by_role("button", name="Apply")).to_be_focused()


def test_enter_applies_filters_and_keeps_focus(collection):
    collection.select_option("#by-genre", "Rock")
    collection.focus("#q")
    collection.keyboard.type("title")
    collection.keyboard.press("Enter")
    collection.wait_for_url("**/collection/?q=title&genre=Rock")
    expect(collection.locator("#q")).to_be_focused()


def test_filters_apply_without_scripts(live_server, browser, connection):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    log_in(page, live_server.url, connection.user)
    page.goto(f"{live_server.url}/collection/")
    page.select_option("#by-genre", "Jazz")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".copies tbody tr")).to_have_count(1)
    context.close()


def apply_and_go_back(page: Page, address: str, back) -> None:
    page.goto(f"{address}/collection/?genre=Jazz")
    page.select_option("#by-genre", "Rock")
    page.fill("#q", "title")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**/collection/?q=title&*genre=Rock*")
    back(page)
    assert page.url.endswith("/collection/?genre=Jazz")
    expect(page.locator("#by-genre")).to_have_value("Jazz")
    expect(page.locator("#q")).to_have_value("")
    expect(page.locator(".copies tbody tr")).to_have_count(1)


def test_filters_match_the_list_after_back(live_server, ordinary_page, connection):
    log_in(ordinary_page, live_server.url, connection.user)
    apply_and_go_back(ordinary_page, live_server.url, go_back)


def test_filters_match_after_back_without_scripts(live_server, browser, connection):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    log_in(page, live_server.url, connection.user)
    apply_and_go_back(page, live_server.url, Page.go_back)
    context.close()


def test_filter_shows_a_value_that_no_copy_has(live_server, collection):
    collection.goto(f"{live_server.url}/collection/?genre=Polka")
    expect(collection.locator("#by-genre")).to_have_value("Polka")
    expect(collection.get_by_role("main")).to_contain_text("No copies match.")


def sort_by(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{address}/collection/")
    page.get_by_label("Sort").select_option("Price, lowest first")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**/collection/?*sort=price*")
    expect(page.locator(".copies tbody tr").first).to_contain_text("$10.00")
    expect(page.get_by_label("Sort")).to_have_value("price")


def test_phone_has_a_control_to_sort(live_server, collection):
    sort_by(collection, live_server.url)
    assert collection.url.endswith("/collection/?sort=price")


def test_phone_sorts_without_scripts(live_server, browser, connection):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    log_in(page, live_server.url, connection.user)
    sort_by(page, live_server.url)
    context.close()


def test_table_sorts_by_headings_and_keeps_it(live_server, collection):
    collection.get_by_role("link", name="Value", exact=True).click()
    collection.wait_for_url("**/collection/?sort=price")
    expect(collection.locator("#sort")).not_to_be_visible()
    collection.select_option("#by-genre", "Rock")
    collection.get_by_role("button", name="Apply").click()
    collection.wait_for_url("**/collection/?genre=Rock&sort=price")


def test_phone_focuses_nothing_invisible(collection):
    collection.set_viewport_size({"width": 390, "height": 844})
    size = "document.activeElement.getBoundingClientRect().toJSON()"
    for _ in range(40):
        collection.keyboard.press("Tab")
        box = collection.evaluate(size)
        assert min(box["width"], box["height"]) > 4, collection.evaluate("document.activeElement.outerHTML")
        assert collection.evaluate("document.activeElement.closest('thead')") is None
