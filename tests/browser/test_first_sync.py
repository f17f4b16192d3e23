"""The main path, from a visitor's first click to the value of a collection."""

import json
import re

import pytest
from django.core import mail
from playwright.sync_api import expect

from tests.processes import eventually

pytestmark = [
    pytest.mark.browser,
    pytest.mark.journey,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
]


def test_first_sync_page_matches_the_command(live_server, sandbox, site, browser_page):
    sandbox.add_user("newcomer_at_discogs", "token-of-newcomer", count=90)
    site.start("run_workers")
    page = browser_page

    page.goto(live_server.url)
    page.get_by_role("link", name=re.compile("sign up", re.IGNORECASE)).first.click()
    page.fill("[name=email]", "newcomer@example.org")
    page.fill("[name=password1]", "a-long-password-7")
    page.locator("main form button[type=submit]").click()

    page.wait_for_url("**/account/confirm-email/")
    (letter,) = mail.outbox
    page.fill("[name=code]", re.search(r"^ +(\S+)$", letter.body, re.MULTILINE)[1])
    page.get_by_role("button", name="Confirm").click()

    page.wait_for_url("**/connect/")
    page.fill("[name=token]", "token-of-newcomer")
    page.locator("main form button[type=submit]").first.click()

    page.wait_for_url(re.compile(r"/syncs/\d+/"))
    expect(page.get_by_role("main")).to_contain_text("Finished", timeout=90_000)
    expect(page.get_by_role("main")).to_contain_text("90")

    page.goto(f"{live_server.url}/dashboard/")
    printed = json.loads(site.run("collection_value", "--user", "newcomer", "--json").stdout)
    headline = page.locator("h1.value").inner_text()
    assert int(re.sub(r"[^\d]", "", headline)) == printed["estimated_value_minor"] > 0
    assert sandbox.stats()["refused"] == 0


def test_fifty_clicks_on_sync_are_one_run(live_server, sandbox, make_collector, browser_page):
    from pricing.models import SyncRun

    make_collector(sandbox, "clicker", count=5)
    page = browser_page
    page.goto(f"{live_server.url}/account/login/")
    page.fill("[name=login]", "clicker")
    page.fill("[name=password]", "a-long-password")
    page.locator("main form button[type=submit]").click()
    page.wait_for_url("**/dashboard/")
    answered = page.evaluate(
        """async () => {
          const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
          const click = () => fetch("/syncs/start/", {method: "POST", headers: {"X-CSRFToken": token}});
          const answers = await Promise.all(Array.from({length: 50}, click));
          return answers.map((answer) => answer.status);
        }"""
    )
    assert set(answered) == {200}
    eventually(SyncRun.objects.exists, within=30, what="a run")
    assert SyncRun.objects.count() == 1
