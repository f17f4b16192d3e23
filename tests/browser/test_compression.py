"""Compression in a browser: the site's own pages arrive compressed, a link of another site gets the plain page."""

import pytest
from playwright.sync_api import expect

from tests import factories as make
from tests.browser.test_pages import log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_page_of_another_site_is_not_compressed(live_server, browser_page, settings):
    settings.ALLOWED_HOSTS = ["*"]
    connection = make.make_connection()
    make.make_copy(connection)
    page, address = browser_page, f"{live_server.url}/collection/"
    log_in(page, live_server.url, connection.user)
    assert page.goto(address).header_value("content-encoding") == "gzip"
    with page.expect_response(f"{address}?q=title") as own:
        page.fill("#q", "title")
        page.keyboard.press("Enter")
    assert own.value.header_value("content-encoding") == "gzip"
    page.wait_for_url(f"{address}?q=title")
    other = live_server.url.replace("localhost", "127.0.0.1")
    page.goto(f"{other}/account/login/")
    with page.expect_response(address) as foreign:
        page.evaluate("address => { location.href = address; }", address)
    assert foreign.value.header_value("content-encoding") is None
    expect(page.locator(".copies tbody tr")).to_have_count(1)
