"""The browser's Back button: within a session it works, after logging out it shows nothing of a collection."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests import factories as make
from tests.browser.test_pages import log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def collection():
    connection = make.make_connection()
    make.make_price(make.make_copy(connection).release, 98_765)
    return connection


@pytest.fixture
def page(browser_type, browser_type_launch_args) -> Iterator[Page]:
    """A page as people have it: Playwright's own throws a page away when it is left."""
    keeps = {**browser_type_launch_args, "ignore_default_args": ["--disable-back-forward-cache"]}
    browser = browser_type.launch(**keeps)
    yield browser.new_page()
    browser.close()


def test_back_shows_no_amounts_after_logging_out(live_server, page, collection):
    log_in(page, live_server.url, collection.user)
    page.goto(f"{live_server.url}/dashboard/")
    expect(page.get_by_role("main")).to_contain_text("987.65")
    page.goto(f"{live_server.url}/collection/")
    go_back(page)
    expect(page.get_by_role("main")).to_contain_text("987.65")
    page.goto(f"{live_server.url}/account/logout/")
    page.get_by_role("main").get_by_role("button", name="Log out").click()
    page.wait_for_url(f"{live_server.url}/")
    for _ in range(2):
        go_back(page)
        assert "987.65" not in page.content(), page.url
    assert "/account/login/" in page.url


def go_back(page: Page) -> None:
    # Playwright's own waits for a load, of which there is none where the browser kept the page.
    page.evaluate("setTimeout(() => history.back(), 0)")
    page.wait_for_timeout(1000)
