"""Rows that could not be read, on the page of a sync, while it runs."""

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from collections_app.models import ImportPass
from pricing.models import SyncRun
from tests import factories as make

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ODD = {
    "what": "copy",
    "release_id": 9001,
    "instance_id": None,
    "title": "Odd",
    "reason": "Discogs sent no x.",
}


@pytest.fixture
def run(browser_page, live_server):
    """A run that is importing, with its page open."""
    connection = make.make_connection()
    reading = ImportPass.objects.create(connection=connection, started_at=timezone.now())
    run = make.make_run(connection, "importing", import_pass=reading)
    client = Client()
    client.force_login(connection.user)
    cookie = client.cookies["sessionid"].value
    browser_page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    browser_page.goto(f"{live_server.url}/syncs/{run.pk}/")
    return run


def test_unread_rows_appear_while_the_page_polls(browser_page, run):
    ImportPass.objects.update(unread_count=1, unread=[ODD])
    expect(browser_page.get_by_role("heading", name="1 row could not be read")).to_be_visible()
    expect(browser_page.get_by_role("link", name="Odd (9001)")).to_have_count(1)
    browser_page.wait_for_timeout(2500)  # the next poll
    expect(browser_page.get_by_role("link", name="Odd (9001)")).to_have_count(1)


def test_empty_collection_is_announced_at_the_end(browser_page, run):
    ImportPass.objects.update(state=ImportPass.State.COMPLETE)
    SyncRun.objects.update(state=SyncRun.State.FINISHED, finished_at=timezone.now())
    expect(browser_page.get_by_text("Your collection on Discogs is empty.")).to_have_count(1)
    expect(browser_page.locator("#progress")).to_have_count(1)
