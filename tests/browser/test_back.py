"""The browser's Back button: it works within a session and shows no collection after logging out."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests import factories as make
from tests.browser.test_pages import log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def connection():
    connection = make.make_connection()
    make.make_price(make.make_copy(connection).release, 98_765)
    return connection


@pytest.fixture
def page(browser_type, browser_type_launch_args) -> Iterator[Page]:
    """A page of an ordinary browser: Playwright's default settings disable the back-forward cache."""
    keeps = {**browser_type_launch_args, "ignore_default_args": ["--disable-back-forward-cache"]}
    browser = browser_type.launch(**keeps)
    yield browser.new_page()
    browser.close()


def test_back_shows_no_amounts_after_logging_out(live_server, page, connection):
    log_in(page, live_server.url, connection.user)
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
    # Playwright's go_back waits for a load, which does not happen if the browser kept the page.
    page.evaluate("setTimeout(() => history.back(), 0)")
    page.wait_for_timeout(1000)
