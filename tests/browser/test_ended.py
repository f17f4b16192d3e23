"""A page that stays open after its session has ended."""

import re

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from collections_app.accounts.users import confirm_address
from tests import factories as make
from tests.accounts import PASSWORD
from tests.browser.test_pages import log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LOGIN = re.compile(r"/account/login/\?next=")


@pytest.fixture
def connection():
    connection = make.make_connection()
    confirm_address(connection.user, connection.user.email)
    make.make_price(make.make_copy(connection).release, 1000)
    make.make_item(make.make_run(connection), make.make_release(), "due")
    return connection


def type_the_password(page: Page) -> None:
    page.get_by_label("Email or user name").fill("collector")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Log in").click()


@pytest.mark.parametrize("path", ["/dashboard/?range=1m", "/collection/", "/syncs/{run}/"])
def test_live_page_returns_after_login(live_server, browser_page, connection, path):
    path = path.format(run=connection.user.sync_runs.get().pk)
    log_in(browser_page, live_server.url, connection.user)
    browser_page.goto(live_server.url + path)
    Session.objects.all().delete()
    browser_page.wait_for_url(LOGIN)
    expect(browser_page.locator("footer")).to_have_count(1)
    type_the_password(browser_page)
    browser_page.wait_for_url(live_server.url + path)


def test_late_button_returns_to_its_page(live_server, browser_page, connection):
    log_in(browser_page, live_server.url, connection.user)
    browser_page.goto(f"{live_server.url}/dashboard/?range=1m")
    Session.objects.all().delete()
    browser_page.get_by_role("button", name="Hide amounts").click()
    browser_page.wait_for_url(LOGIN)
    type_the_password(browser_page)
    browser_page.wait_for_url(f"{live_server.url}/dashboard/?range=1m")
