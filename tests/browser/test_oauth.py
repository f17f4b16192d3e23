"""Authorisation through Discogs' page and back, in a browser that enforces the content security policy.

The sandbox sends the browser to its login on another host first, as Discogs does.
"""

import re

import pytest
from django.test import Client
from playwright.sync_api import expect

from collections_app.models import DiscogsConnection
from collections_app.sandbox.server import SandboxServer
from tests.conftest import point_at

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=["redirect", "form", "none"])
def discogs(settings, registered_site, request):
    """A sandbox with each kind of login, under the policy that the site really has."""
    with SandboxServer(limit=100_000, window=6, login=request.param) as server:
        point_at(settings, server, limit=100_000, window=6)
        yield server


@pytest.fixture
def visitor(live_server, browser_page, make_user, discogs):
    client = Client()
    client.force_login(make_user())
    cookie = client.cookies["sessionid"].value
    browser_page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    browser_page.goto(f"{live_server.url}/connect/")
    return browser_page


def go_to_discogs(visitor, discogs, *, button="Connect with Discogs"):
    visitor.get_by_role("button", name=button).click()
    if discogs.login == "form":
        visitor.wait_for_url(re.compile(r"//localhost:\d+/login"))
        visitor.get_by_role("button", name="Log in").click()
    expect(visitor.get_by_role("heading", level=1)).to_contain_text("Let")


def test_oauth_approval_starts_first_sync(visitor, discogs, live_server):
    go_to_discogs(visitor, discogs)
    visitor.get_by_role("combobox").select_option("small_shelf")
    visitor.get_by_role("button", name="Authorize").click()
    visitor.wait_for_url(re.compile(r"/syncs/\d+/"))
    assert visitor.url.startswith(live_server.url)
    visitor.goto(f"{live_server.url}/settings/")
    expect(visitor.get_by_role("main")).to_contain_text("small_shelf")
    expect(visitor.get_by_role("main")).to_contain_text("Authorised at Discogs")
    assert discogs.stats()["routes"].get("/login", 0) == {"redirect": 1, "form": 2, "none": 0}[discogs.login]


def test_oauth_denial_says_what_to_do(visitor, discogs):
    go_to_discogs(visitor, discogs)
    visitor.get_by_role("button", name="Deny").click()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("You did not allow it")
    assert not DiscogsConnection.objects.exists()
    go_to_discogs(visitor, discogs, button="Try again")
    expect(visitor.get_by_role("button", name="Authorize")).to_be_visible()


@pytest.mark.parametrize("discogs", ["redirect"], indirect=True)
def test_back_from_discogs_is_the_connect_page(visitor, discogs, live_server):
    """The page in between takes no place in the history, so that Back does not lead to Discogs again."""
    go_to_discogs(visitor, discogs)
    visitor.go_back()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Connect Discogs")


@pytest.mark.parametrize("discogs", ["redirect"], indirect=True)
def test_csp_allows_forms_to_the_site_only(visitor, discogs, settings):
    assert settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"] == ["'self'"]
    assert "form-action 'self'" in visitor.request.get(visitor.url).headers["content-security-policy"]
