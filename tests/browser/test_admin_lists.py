"""Every list of the admin fits its box at 1280 px and scrolls in it on a phone, also with long contents."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from collections_app.models import ApiGate, Capability, ImportPass, Preferences
from pricing.models import (
    Doubt,
    ExchangeRate,
    HealthAlert,
    MarketStat,
    PriceJob,
    SourceAttempt,
)
from tests import factories as make
from tests.browser.test_controls import log_in_staff
from tests.browser.test_pages import LOOKS, check, keep_picture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
SENTENCE = f"Discogs answered 502 Bad Gateway for {WORD}. " * 4
ADDRESS = f"{'a' * 60}@{'b' * 60}.example.org"
BIG = 2_000_000_000
# What must be in sight without scrolling: how the work stands, and why it failed.
FIRST = {
    "pricing_pricejob": ("state", "error_kind"),
    "pricing_syncrun": ("state", "error"),
    "collections_app_importpass": ("state", "error"),
    "pricing_sourceattempt": ("outcome",),
    "collections_app_discogsconnection": ("state",),
}


@pytest.fixture
def boss(make_staff):
    """Staff, and rows with the longest contents in every list."""
    boss, now = make_staff("boss"), timezone.now()
    connection = make.make_connection("c" * 100, discogs_username="d" * 100, state="reconnect_needed")
    Preferences.objects.update_or_create(
        user=connection.user, defaults={"time_zone": "America/Argentina/Buenos_Aires"}
    )
    User.objects.filter(pk=connection.user_id).update(
        email=ADDRESS, first_name="e" * 100, last_name="f" * 100
    )
    Group.objects.create(name=WORD)
    EmailAddress.objects.create(user=connection.user, email=ADDRESS)
    UserSession.objects.create(
        user=connection.user,
        session_key="key",
        ip="2001:db8:1234:5678:9abc:def0:1234:5678",
        user_agent=SENTENCE[:200],
    )
    release = make.make_release(
        discogs_id=BIG, title=WORD, artists=SENTENCE, format=SENTENCE, catalog_number=WORD
    )
    make.make_copy(connection, release)
    run = make.make_run(connection, state="failed", error=SENTENCE)
    job = {
        "error_kind": "unexpected_contents",
        "worker": f"{WORD}:{BIG}",
        "duration_ms": BIG,
        "finished_at": now,
    }
    make.make_item(run, release, "not_found", attempts=12_345, requests=12_345, **job)
    ImportPass.objects.create(
        connection=connection,
        state="failed",
        error=SENTENCE,
        started_at=now,
        finished_at=now,
        instances_seen=BIG,
        instances_expected=BIG,
        requests=BIG,
        attempts=12_345,
    )
    market = {"num_for_sale": BIG, "want": BIG, "have": BIG}
    make.make_price(release, BIG, doubt=Doubt.BELOW_SUGGESTION, near_mint_minor=BIG, **market)
    make.make_snapshot(release, BIG, day=now.date(), num_for_sale=BIG, want=BIG, have=BIG)
    make.make_minute(now, BIG, egress="g" * 100, faults=BIG, refusals=BIG, latency_ms_max=BIG)
    make.make_heartbeat(
        BIG,
        host=f"{WORD}.example.org",
        seen_at=now - timedelta(days=9),
        jobs=BIG,
        errors=BIG,
        rss_bytes=BIG,
        cpu_percent=6400,
        average_ms=BIG,
        p50_ms=BIG,
        p95_ms=BIG,
    )
    Capability.objects.create(name="h" * 40, is_available=False, checked_at=now)
    price = {"release": release, "currency": "MXN", "amount_minor": BIG, "observed_at": now}
    MarketStat.objects.create(num_for_sale=BIG, **price)
    SourceAttempt.objects.create(source="suggestions", release=release, outcome="none", tried_at=now)
    SourceAttempt.objects.create(source="suggestions", connection=connection, outcome="refused", tried_at=now)
    ExchangeRate.objects.create(currency="JPY", micros_per_usd=BIG * 100, observed_at=now)
    HealthAlert.objects.create(kind="outage", message=SENTENCE, opened_at=now)
    gate = {"openings": BIG, "faults_in_a_row": BIG, "refusals": BIG, "latency_ms": BIG, "requests": BIG}
    ApiGate.objects.update_or_create(egress="i" * 100, defaults={**gate, "paused_until": now.timestamp()})
    assert Authenticator.objects.exists()
    return boss


def check_list(page: Page, table: str, width: int) -> list[str]:
    """What is wrong with a list at this width."""
    assert page.locator("#result_list tbody tr").count(), f"{table} has no rows"
    keep_picture(page, f"admin-{table}-{width}")
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        return [f"{table} at {width}: the page is cut off"]
    box, columns = page.evaluate(
        """() => {
          const box = document.querySelector("#changelist-form .results");
          const right = (cell) => [cell.className.match(/column-(\\w+)/)?.[1], cell.getBoundingClientRect().right];
          const heads = [...box.querySelectorAll("thead th")].map(right);
          return [[box.scrollWidth, box.clientWidth, box.getBoundingClientRect().right], Object.fromEntries(heads)];
        }"""
    )
    needed, room, edge = box
    wrong = [f"{table} at {width}: {needed} px in {room} px"] if width == 1280 and needed > room else []
    hidden = [name for name in FIRST.get(table, ()) if columns[name] > edge]
    return wrong + [f"{table} at {width}: {name} is out of sight" for name in hidden]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_admin_lists_fit(live_server, browser_page, boss, theme):
    page = browser_page
    log_in_staff(page, live_server.url, boss)
    page.emulate_media(color_scheme=theme)
    wrong = []
    for model in admin.site._registry:
        table = f"{model._meta.app_label}_{model._meta.model_name}"
        page.goto(live_server.url + reverse(f"admin:{table}_changelist"))
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            wrong += check_list(page, table, width)
    assert not wrong


@pytest.mark.parametrize("look", [LOOKS[1], LOOKS[2]])
def test_admin_pages_are_accessible(live_server, page, boss, look):
    """Also the filter for jobs without an error, and a page without a Save button.

    On some of these pages axe itself sets a style that the policy reports, so the console is not checked.
    """
    job = PriceJob.objects.first()
    make.make_item(make.make_run(make.make_connection("second")), make.make_release(), "recorded")
    log_in_staff(page, live_server.url, boss)
    pages = ("", "pricing/pricejob/", f"pricing/pricejob/{job.pk}/change/", "pricing/workerheartbeat/engine/")
    for path in (*pages, f"auth/user/{boss.pk}/change/", "auth/group/add/"):
        check(page, look, f"{live_server.url}/admin/{path}")


def test_states_in_lists_are_not_broken(live_server, browser_page, boss):
    log_in_staff(browser_page, live_server.url, boss)
    PriceJob.objects.update(state="recorded", worker="vm:9737", error_kind="", duration_ms=40)
    browser_page.goto(f"{live_server.url}/admin/pricing/pricejob/")
    lines = """it => { const range = document.createRange(); range.selectNodeContents(it);
        return new Set([...range.getClientRects()].map((each) => each.top)).size; }"""
    for name in ("state", "worker"):
        assert browser_page.locator(f"#result_list td.field-{name}").first.evaluate(lines) == 1, name
