"""What a screen reader hears of a running sync."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from pricing.models import PriceJob
from tests import factories as make
from tests.browser.test_pages import log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
RECORD = """
  window.heard = [];
  new MutationObserver(() => heard.push(document.getElementById("sync-status").textContent))
    .observe(document.getElementById("sync-status"), {childList: true, characterData: true, subtree: true});
"""


@pytest.fixture
def run():
    run = make.make_run(make.make_connection())
    for _ in range(8):
        make.make_item(run, make.make_release(), "due")
    return run


def finish_jobs(number: int) -> None:
    jobs = PriceJob.objects.filter(state="due").order_by("pk").values_list("pk", flat=True)[:number]
    PriceJob.objects.filter(pk__in=list(jobs)).update(state="recorded")


def wait_for(page: Page, done: int) -> None:
    expect(page.locator("#progress progress")).to_have_js_property("value", done)


def test_status_announces_quarters_and_states(live_server, browser_page, run):
    page = browser_page
    log_in(page, live_server.url, run.user)
    page.goto(f"{live_server.url}/syncs/{run.pk}/")
    status = page.get_by_role("main").locator("#sync-status")
    expect(status).to_have_role("status")
    expect(status).to_have_text("")
    page.evaluate(RECORD)
    for done in (1, 2, 3):
        finish_jobs(1)
        wait_for(page, done)
    expect(status).to_contain_text("2 of 8 releases")
    run.state = "paused"
    run.save()
    expect(status).to_contain_text("3 of 8 releases")
    finish_jobs(5)
    run.state, run.finished_at = "finished", timezone.now()
    run.save()
    expect(status).to_contain_text("8 of 8 releases")
    assert len(page.evaluate("heard")) == 3
