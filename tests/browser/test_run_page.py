"""The page of a run follows the run: banner and header never say something else than the live part."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from pricing.sync import runs
from tests import factories as make
from tests.browser.test_pages import log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_banner_follows_a_revoked_credential(live_server, browser_page):
    connection = make.make_connection()
    run = make.make_run(connection)
    make.make_item(run, make.make_release(), "due")
    make.make_heartbeat(role="supervisor", seen_at=timezone.now())
    page = browser_page
    log_in(page, live_server.url, connection.user)
    page.goto(f"{live_server.url}/syncs/{run.pk}/")
    expect(page.locator("#live-bar")).to_contain_text("0 of 1")
    expect(page.locator(".trouble")).to_have_count(0)
    runs.fail_runs_of(
        connection.user_id, error="Discogs no longer accepts the credential.", now=timezone.now()
    )
    connection.state = "reconnect_needed"
    connection.save()
    expect(page.locator("#progress")).to_contain_text("Reconnect to continue.")
    expect(page.locator(".trouble")).to_contain_text("no longer accepts your connection")
    expect(page.locator("#live-bar")).to_have_count(0)
    expect(page.locator("#trouble")).to_have_count(1)


def test_banner_goes_when_connection_works(live_server, browser_page):
    connection = make.make_connection(state="private")
    run = make.make_run(connection)
    make.make_item(run, make.make_release(), "recorded")
    page = browser_page
    log_in(page, live_server.url, connection.user)
    page.goto(f"{live_server.url}/syncs/{run.pk}/")
    expect(page.locator(".trouble")).to_contain_text("your collection is private")
    connection.state = "active"
    connection.save()
    run.state, run.finished_at = "finished", timezone.now()
    run.save()
    expect(page.locator("#progress")).to_contain_text("Finished")
    expect(page.locator(".trouble")).to_have_count(0)
