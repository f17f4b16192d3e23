"""Every page in a real browser, light and dark, wide and narrow: accessible, no console errors, nothing cut off.

SCREENSHOTS=<directory> also saves a screenshot of each, for review.
"""

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from collections_app.models import Decision, ImportPass, Preferences
from pricing.models import Doubt, ExchangeRate
from tests import factories as make

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PUBLIC = ("/", "/account/login/", "/account/signup/", "/account/password/reset/")
ACCOUNT = (
    "/settings/",
    "/connect/",
    "/disconnect/",
    "/account/email/",
    "/account/password/change/",
    "/account/logout/",
)
LOOKS = [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)]
RELEASE, HELD_BACK = 4711, 4712


@pytest.fixture
def connection():
    """A collection with every state, a history with a gap, and an active run."""
    connection = make.make_connection()
    now = timezone.now()
    make.fill_collection(connection, 12, now=now)
    release = make.make_release(
        discogs_id=RELEASE, title="A title " * 30, artists="שלום עולם", genres=["Jazz"], labels="Harbour"
    )
    folder = make.make_folder(connection, "Für später")
    make.make_copy(connection, release, folder=folder, media_condition="Very Good Plus (VG+)", notes="warped")
    make.make_price(release, 123456, rating_count=9, rating_average=4.2)
    for ago in range(0, 120, 2):
        amount = None if 40 < ago < 60 else 100_000 + ago * 97
        make.make_snapshot(release, amount, day=now.date() - timedelta(days=ago))
        make.make_value(connection, 200_000 - ago * 31, day=now.date() - timedelta(days=ago + 121))
    for status in ("none_for_sale", "blocked", "gone"):
        make.make_price(make.make_copy(connection).release, None, status=status)
    old = make.make_copy(connection).release
    make.make_price(old, 900, observed_at=now - timedelta(days=3))
    held_back = make.make_copy(connection, make.make_release(discogs_id=HELD_BACK)).release
    last = {"last_minor": 6000, "last_priced_at": now - timedelta(days=1)}
    make.make_price(held_back, 400, doubt=Doubt.JUMP, num_for_sale=12, **last)
    for day, amount in enumerate((400, 6000, 6100)):
        doubt = Doubt.NONE if day else Doubt.JUMP
        make.make_snapshot(held_back, amount, day=now.date() - timedelta(days=day), doubt=doubt)
    left_out = make.make_copy(connection, price_decision=Decision.NEVER).release
    make.make_price(left_out, 5000)
    odd = {
        "what": "copy",
        "release_id": 9,
        "instance_id": None,
        "title": "Odd " * 40,
        "reason": "Discogs sent no x.",
    }
    reading = ImportPass.objects.create(
        connection=connection,
        state=ImportPass.State.COMPLETE,
        started_at=now,
        unread_count=2,
        unread=[odd, {**odd, "release_id": None, "title": ""}],
        unconfirmed_copies=12,
    )
    run = make.make_run(connection, import_pass=reading)
    for state in ("recorded", "dead", "due", "due", None):
        make.make_item(run, make.make_release(), state, error_kind="server" if state == "dead" else "")
    return connection


def log_in(page: Page, address: str, user: object) -> None:
    client = Client()
    client.force_login(user)
    name = django_settings.SESSION_COOKIE_NAME
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": address}])


def check(page: Page, look: tuple[str, int], address: str) -> None:
    scheme, width = look
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(address)
    name = address.split("/", 3)[3].replace("/?", "-").strip("/").replace("/", "-") or "landing"
    keep_picture(page, f"{name}-{scheme}-{width}")
    results = Axe().run(page)
    assert results.violations_count == 0, f"{address} {look}\n{results.generate_report()}"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{address} {look} is cut off"


def keep_picture(page: Page, name: str) -> None:
    if directory := os.environ.get("SCREENSHOTS"):
        page.wait_for_timeout(400)  # charts and covers
        page.screenshot(path=Path(directory) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("look", LOOKS)
def test_public_pages_are_accessible(live_server, browser_page, look):
    for path in PUBLIC:
        check(browser_page, look, live_server.url + path)


@pytest.mark.parametrize("look", LOOKS)
def test_pages_with_collection_are_accessible(live_server, browser_page, connection, look):
    log_in(browser_page, live_server.url, connection.user)
    run = connection.user.sync_runs.get()
    paths = ("/dashboard/", "/collection/", f"/release/{RELEASE}/", "/syncs/", f"/syncs/{run.pk}/")
    for path in (*paths, f"/release/{HELD_BACK}/", "/accuracy/", *ACCOUNT):
        check(browser_page, look, live_server.url + path)


def chosen(connection: object, **chosen: object) -> None:
    Preferences.objects.update_or_create(user=connection.user, defaults=chosen)
    ExchangeRate.objects.get_or_create(
        currency="SEK", defaults={"micros_per_usd": 10_347_119, "observed_at": timezone.now()}
    )


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("hidden", [True, False])
def test_pages_by_preference_are_accessible(live_server, browser_page, connection, look, hidden):
    chosen(connection, currency="SEK", time_zone="America/Argentina/Buenos_Aires", hides_amounts=hidden)
    log_in(browser_page, live_server.url, connection.user)
    for path in ("/dashboard/", "/collection/", f"/release/{RELEASE}/", "/accuracy/", "/syncs/"):
        check(browser_page, look, f"{live_server.url}{path}?{'hidden' if hidden else 'converted'}")


@pytest.mark.parametrize("look", LOOKS[::2])
@pytest.mark.parametrize("locale", ["de", "ja"])
def test_pages_in_a_locale_are_accessible(live_server, browser_page, connection, look, locale):
    chosen(connection, locale=locale)
    log_in(browser_page, live_server.url, connection.user)
    for path in ("/dashboard/", "/collection/", f"/release/{RELEASE}/", "/settings/"):
        check(browser_page, look, f"{live_server.url}{path}?{locale}")


@pytest.mark.parametrize("look", LOOKS)
def test_pager_is_accessible(live_server, browser_page, connection, monkeypatch, look):
    monkeypatch.setattr("pricing.pages.tables.collection.PAGE_SIZE", 2)
    log_in(browser_page, live_server.url, connection.user)
    check(browser_page, look, f"{live_server.url}/collection/?page=5")
    browser_page.get_by_role("link", name="Page 6").click()
    expect(browser_page.locator(".pager [aria-current]")).to_have_text("Page 6")


def test_chart_is_in_the_users_locale(live_server, browser_page, connection):
    chosen(connection, locale="de")
    log_in(browser_page, live_server.url, connection.user)
    browser_page.goto(f"{live_server.url}/release/{RELEASE}/?range=all")
    browser_page.locator(".area").hover(position={"x": 2, "y": 40})
    expect(browser_page.locator("[data-value=price]")).to_contain_text(",")
    expect(browser_page.locator("[data-value=price]")).to_contain_text("\u00a0$")
    expect(browser_page.locator(".legend [data-day]")).to_contain_text(re.compile(r"\.\d{4}$"))


def test_eye_and_preferences_work_without_scripts(live_server, browser, connection):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    log_in(page, live_server.url, connection.user)
    page.goto(f"{live_server.url}/dashboard/?range=1m")
    page.get_by_role("button", name="Hide amounts").click()
    page.wait_for_url("**/dashboard/?range=1m")
    expect(page.locator("h1.value")).to_contain_text("•••")
    page.goto(f"{live_server.url}/settings/")
    page.get_by_role("link", name="Show all time zones").click()
    page.get_by_label("Time zone").select_option("Asia/Kathmandu")
    page.get_by_label("Hide amounts").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    page.goto(f"{live_server.url}/syncs/")
    expect(page.get_by_role("main")).to_contain_text("Time zone: Asia/Kathmandu.")
    context.close()


@pytest.mark.parametrize("look", LOOKS[:2])
def test_empty_pages_are_accessible(live_server, browser_page, make_user, look):
    log_in(browser_page, live_server.url, make_user())
    for path in ("/dashboard/", "/connect/", "/syncs/", "/settings/"):
        check(browser_page, look, live_server.url + path)


def test_chart_shows_value_under_the_pointer(live_server, browser_page, connection):
    log_in(browser_page, live_server.url, connection.user)
    browser_page.goto(f"{live_server.url}/dashboard/?range=all")
    expect(browser_page.locator(".plot canvas")).to_have_count(1)
    browser_page.locator(".plot .u-over").hover()
    expect(browser_page.locator(".tip")).to_be_visible()


def test_sync_page_updates_until_the_end(live_server, browser_page, connection):
    log_in(browser_page, live_server.url, connection.user)
    run = connection.user.sync_runs.get()
    browser_page.goto(f"{live_server.url}/syncs/{run.pk}/")
    expect(browser_page.locator("#progress .big")).to_contain_text("2 of 5 releases")
    run.items.filter(job__state="due").first().job.__class__.objects.filter(state="due").update(
        state="recorded"
    )
    expect(browser_page.locator("#progress .big")).to_contain_text("4 of 5 releases")  # one has failed
    run.state, run.finished_at = "finished", timezone.now()
    run.save()
    expect(browser_page.locator("#progress")).to_contain_text("Finished in")
    expect(browser_page.locator("#progress[hx-trigger]")).to_have_count(0)


def test_filter_applies_with_the_button(live_server, browser_page, connection):
    log_in(browser_page, live_server.url, connection.user)
    browser_page.goto(f"{live_server.url}/collection/")
    browser_page.keyboard.press("/")
    expect(browser_page.locator("#find")).to_be_focused()
    browser_page.select_option("#by-state", "gone")
    browser_page.get_by_role("button", name="Apply").click()
    browser_page.wait_for_url("**/collection/?state=gone")
    expect(browser_page.locator(".copies tbody tr")).to_have_count(1)
