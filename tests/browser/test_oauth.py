"""Authorisation through Discogs' page and back, in a browser that enforces the content security policy."""

import copy
import re

import pytest
from django.test import Client
from playwright.sync_api import expect

from collections_app.models import DiscogsConnection
from collections_app.sandbox.server import SandboxServer
from tests.conftest import point_at

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def discogs(settings, registered_site):
    """A sandbox that the content security policy allows as Discogs' web site."""
    with SandboxServer(limit=100_000, window=6) as server:
        point_at(settings, server, limit=100_000, window=6)
        policy = copy.deepcopy(settings.CONTENT_SECURITY_POLICY)
        policy["DIRECTIVES"]["form-action"] = ["'self'", server.url]
        settings.CONTENT_SECURITY_POLICY = policy
        yield server


@pytest.fixture
def visitor(live_server, browser_page, make_user, discogs):
    client = Client()
    client.force_login(make_user())
    cookie = client.cookies["sessionid"].value
    browser_page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    browser_page.goto(f"{live_server.url}/connect/")
    return browser_page


def test_oauth_approval_starts_first_sync(visitor, live_server):
    visitor.get_by_role("button", name="Connect with Discogs").click()
    expect(visitor.get_by_role("heading", level=1)).to_contain_text("Let")
    visitor.get_by_role("combobox").select_option("small_shelf")
    visitor.get_by_role("button", name="Authorize").click()
    visitor.wait_for_url(re.compile(r"/syncs/\d+/"))
    assert visitor.url.startswith(live_server.url)
    visitor.goto(f"{live_server.url}/settings/")
    expect(visitor.get_by_role("main")).to_contain_text("small_shelf")
    expect(visitor.get_by_role("main")).to_contain_text("Authorised at Discogs")


def test_oauth_denial_says_what_to_do(visitor):
    visitor.get_by_role("button", name="Connect with Discogs").click()
    visitor.get_by_role("button", name="Deny").click()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("You did not allow it")
    assert not DiscogsConnection.objects.exists()
    visitor.get_by_role("button", name="Try again").click()
    expect(visitor.get_by_role("button", name="Authorize")).to_be_visible()


def test_csp_allows_forms_to_discogs_only(live_server, page, make_user, discogs, settings):
    """Without Discogs in form-action the button does nothing: the policy also applies to redirects."""
    policy = copy.deepcopy(settings.CONTENT_SECURITY_POLICY)
    policy["DIRECTIVES"]["form-action"] = ["'self'"]
    settings.CONTENT_SECURITY_POLICY = policy
    client = Client()
    client.force_login(make_user())
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{live_server.url}/connect/")
    page.get_by_role("button", name="Connect with Discogs").click()
    page.wait_for_function("() => true")
    expect(page.get_by_role("button", name="Connect with Discogs")).to_be_visible()
    assert any("form-action" in text for text in complaints)
