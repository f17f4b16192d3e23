"""Controls can be told from the page: the contrast of their edges, in both themes."""

import pytest
from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import Page

from tests.accounts import force_login_with_code
from tests.browser.contrast import controls_by_contrast
from tests.browser.test_pages import ACCOUNT, PUBLIC, RELEASE, connection, log_in

__all__ = ["connection"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MIN_CONTRAST = 3.0
THEMES = ("light", "dark")
ADMIN = ("/admin/auth/user/", "/admin/auth/user/add/", "/admin/pricing/pricejob/?q=title")


def log_in_staff(page: Page, address: str, user: object) -> None:
    client = Client()
    force_login_with_code(client, user)
    name = django_settings.SESSION_COOKIE_NAME
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": address}])


def check_edges(page: Page, theme: str, address: str) -> None:
    page.emulate_media(color_scheme=theme)
    page.goto(address)
    found = controls_by_contrast(page)
    assert found, f"{address} has no controls"
    weak = [each for each in found if each["ratio"] < MIN_CONTRAST]
    assert not weak, f"{address} {theme}: {weak}"


@pytest.mark.parametrize("theme", THEMES)
def test_controls_of_public_pages_have_contrast(live_server, browser_page, theme):
    for path in PUBLIC:
        check_edges(browser_page, theme, live_server.url + path)


@pytest.mark.parametrize("theme", THEMES)
def test_controls_of_pages_have_contrast(live_server, browser_page, connection, theme):
    log_in(browser_page, live_server.url, connection.user)
    run = connection.user.sync_runs.get()
    lists = ("/collection/", "/collection/?genre=Jazz&q=title&state=fresh")
    for path in ("/dashboard/", *lists, f"/release/{RELEASE}/", f"/syncs/{run.pk}/", *ACCOUNT):
        check_edges(browser_page, theme, live_server.url + path)


@pytest.mark.parametrize("theme", THEMES)
def test_controls_of_admin_have_contrast(live_server, browser_page, make_staff, theme):
    log_in_staff(browser_page, live_server.url, make_staff("boss"))
    for path in ADMIN:
        check_edges(browser_page, theme, live_server.url + path)
