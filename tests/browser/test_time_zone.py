"""The time zone on the settings page: the browser's own is offered, and every other one on request."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from collections_app.models import Preferences
from tests.browser.test_pages import log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def settings_in(browser: Browser, zone: str, *, scripts: bool = True) -> Page:
    return browser.new_context(timezone_id=zone, java_script_enabled=scripts).new_page()


@pytest.fixture
def user(make_user):
    return make_user()


@pytest.fixture
def page(browser, live_server, user) -> Iterator[Page]:
    page = settings_in(browser, "Asia/Tashkent")
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    log_in(page, live_server.url, user)
    page.goto(f"{live_server.url}/settings/")
    yield page
    page.context.close()
    assert not errors


def save(page: Page) -> None:
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")


def test_zone_of_the_browser_is_offered(page, user):
    expect(page.get_by_label("Time zone")).to_have_value("UTC")
    expect(page.locator("#id_time_zone_helptext")).to_contain_text("Your browser is in Asia/Tashkent.")
    page.get_by_label("Time zone").select_option("Asia/Tashkent")
    save(page)
    assert Preferences.objects.get(user=user).time_zone == "Asia/Tashkent"
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tashkent")
    expect(page.locator("#id_time_zone_helptext")).not_to_contain_text("Your browser")


def test_all_zones_keep_what_was_chosen(page, user):
    page.get_by_label("Hide amounts").check()
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.get_by_role("link", name="Show all time zones").click()
    expect(page.get_by_label("Time zone")).to_be_focused()
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
    expect(page.get_by_label("Hide amounts")).to_be_checked()
    expect(page.get_by_role("link", name="Show all time zones")).to_have_count(0)
    page.get_by_label("Time zone").select_option("Pacific/Chatham")
    save(page)
    assert Preferences.objects.get(user=user).time_zone == "Pacific/Chatham"


def test_any_zone_can_be_chosen_without_scripts(browser, live_server, user):
    page = settings_in(browser, "Asia/Tashkent", scripts=False)
    log_in(page, live_server.url, user)
    page.goto(f"{live_server.url}/settings/")
    page.get_by_role("link", name="Show all time zones").click()
    page.get_by_label("Time zone").select_option("Pacific/Chatham")
    save(page)
    assert Preferences.objects.get(user=user).time_zone == "Pacific/Chatham"
    page.context.close()
