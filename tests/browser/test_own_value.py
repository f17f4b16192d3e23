"""A value of the owner's own, by keyboard: set and withdrawn on the release page, and for a whole list."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from collections_app.models import CollectionInstance, OwnValue
from pricing.value.own import set_own
from tests import factories as make
from tests.browser.test_pages import LOOKS, RELEASE, connection, keep_picture, log_in

__all__ = ["connection"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def press_until(page: Page, key: str, target: str) -> None:
    """Press a key until the element has the focus, as someone without a mouse does."""
    for _ in range(80):
        if page.evaluate("selector => document.activeElement?.matches(selector)", target):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} does not lead to {target}")


def test_value_is_set_and_withdrawn_by_keyboard(live_server, browser_page, connection):
    page = browser_page
    log_in(page, live_server.url, connection.user)
    page.goto(f"{live_server.url}/release/{RELEASE}/")
    press_until(page, "Tab", ".own-value summary")
    page.keyboard.press("Enter")
    press_until(page, "Tab", ".own-value input[name=amount]")
    page.keyboard.type("about 20")
    page.keyboard.press("Enter")
    expect(page.locator(".own-value .wrong")).to_contain_text("This is not an amount")
    expect(page.get_by_label("Amount in USD")).to_have_value("about 20")
    press_until(page, "Tab", ".own-value input[name=amount]")
    page.keyboard.press("Control+A")
    page.keyboard.type("20.50")
    page.keyboard.press("Tab")
    page.keyboard.type("signed")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your value is saved.")).to_be_visible()
    expect(page.locator(".c-own > b")).to_have_text("$20.50")
    expect(page.locator(".c-own .note-text")).to_have_text("signed")
    press_until(page, "Tab", ".own-value summary")
    page.keyboard.press("Enter")
    press_until(page, "Tab", ".own-value button[value=withdraw]")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your value is withdrawn.")).to_be_visible()
    expect(page.locator(".c-own > b")).to_have_count(0)
    assert list(OwnValue.objects.order_by("set_at").values_list("amount_minor", flat=True)) == [2050, None]


def test_list_gets_one_value_by_keyboard(live_server, browser_page, connection):
    page = browser_page
    log_in(page, live_server.url, connection.user)
    page.goto(f"{live_server.url}/collection/?genre=Jazz")
    press_until(page, "Tab", ".above-list a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/collection/values/?genre=Jazz")
    press_until(page, "Tab", "input[name=amount]")
    page.keyboard.type("15")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Set 7 values?")).to_be_visible()
    press_until(page, "Tab", "form button.btn:not(.plain)")
    page.keyboard.press("Enter")
    page.wait_for_url("**/collection/?genre=Jazz")
    expect(page.get_by_text("Your value is set for 7 copies.")).to_be_visible()
    assert CollectionInstance.objects.filter(own_minor=1500).count() == 7


def check_look(page: Page, name: str, look: tuple[str, int]) -> None:
    keep_picture(page, f"{name}-{look[0]}-{look[1]}")
    results = Axe().run(page)
    assert results.violations_count == 0, f"{name} {look}\n{results.generate_report()}"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} {look} is cut off"


@pytest.mark.parametrize("look", LOOKS)
def test_pages_of_own_values_are_accessible(live_server, browser_page, connection, look):
    page = browser_page
    valued = CollectionInstance.objects.get(release_id=RELEASE)
    note = "Signed by the whole band at the fair, with all extras and the poster"
    now = timezone.now()
    set_own(connection.user_id, [valued.pk], amount_minor=250_000, currency="USD", note=note, now=now)
    make.make_copy(connection, valued.release, media_condition="Mint (M)")
    log_in(page, live_server.url, connection.user)
    page.emulate_media(color_scheme=look[0])
    page.set_viewport_size({"width": look[1], "height": 900})
    page.goto(f"{live_server.url}/release/{RELEASE}/")
    page.locator(".own-value summary").first.click()
    check_look(page, "own-release", look)
    page.get_by_label("Amount in USD").first.fill("about 20")
    page.get_by_role("button", name="Save").first.click()
    check_look(page, "own-release-error", look)
    page.goto(f"{live_server.url}/collection/")
    check_look(page, "own-collection", look)
    page.locator(".above-list a").click()
    check_look(page, "own-bulk", look)
    page.get_by_label("Amount in USD").fill("25")
    page.get_by_label("Note").fill("box set")
    page.get_by_role("button", name="Continue").click()
    check_look(page, "own-bulk-confirm", look)
