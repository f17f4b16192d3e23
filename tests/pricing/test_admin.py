"""The admin: the engine page, the alerts on every page, and the read-only pages."""

import re
from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from collections_app.models import ApiGate, Capability, Preferences
from pricing.models import Calibration, HealthAlert, MarketStat, SourceAttempt
from tests import factories as make
from tests.accounts import force_login_with_code

pytestmark = pytest.mark.django_db
DAY = date(2026, 6, 1)
ENGINE = "/admin/pricing/workerheartbeat/engine/"
READ_ONLY = [
    "collections_app_apiminute",
    "collections_app_preferences",
    "collections_app_capability",
    "pricing_marketstat",
    "pricing_sourceattempt",
    "pricing_healthalert",
]


@pytest.fixture
def staff(client, make_staff):
    user = make_staff("boss")
    force_login_with_code(client, user)
    return user


@pytest.fixture
def helper(client, make_staff):
    """Staff with permission to view syncs only."""
    user = make_staff("helper", is_superuser=False)
    user.user_permissions.add(Permission.objects.get(codename="view_syncrun"))
    force_login_with_code(client, user)
    return user


# The page --------------------------------------------------------------------------------------------


def test_engine_page_shows_gate_jobs_and_workers(client, staff):
    now = timezone.now()
    ApiGate.objects.create(
        egress="default", breaker="open", open_until=(now + timedelta(minutes=9)).timestamp()
    )
    make.make_minute(now - timedelta(minutes=2), 40, latency_ms_sum=16_000, latency_ms_max=1234)
    make.make_heartbeat(
        4711, seen_at=now, jobs=10, errors=1, p50_ms=321, p95_ms=654, cpu_percent=12, rss_bytes=64_000_000
    )
    make.make_jobs("due")
    html = client.get(ENGINE).content.decode()
    assert "next probe in" in html
    assert "host:4711" in html
    assert all(words in html for words in ("321 ms", "654 ms", "12 %", "64 MB", "(10 %)"))
    assert re.findall(r'<g class="line (\w+)">\s*<path', html) == [
        "requests",
        "finished",
        "slowest",
        "average",
    ]
    assert "1,234 ms" in html
    assert 'state__exact=due">Due</a>' in html


def test_engine_page_shows_the_calibration(client, staff):
    today = timezone.now().date()
    assert client.get(ENGINE).content.decode().count("in 90 days") == 2
    Calibration.objects.create(day=today, readings=200, z2_sum=206.0, bands=40, covered=33)
    html = " ".join(client.get(ENGINE).content.decode().split())
    assert "<dd>1.03</dd>" in html
    assert "<dd>82.5 %</dd>" in html
    assert "of 200 readings in 90 days; 1 is right" in html
    assert "of 40 runs in 90 days" in html


def test_engine_page_says_if_there_is_no_work(client, staff):
    html = client.get(ENGINE).content.decode()
    assert "Start the workers with" in html
    assert "No requests in the last" in html


def test_engine_page_updates_its_live_part(client, staff):
    html = client.get(ENGINE, headers={"HX-Request": "true"}).content.decode()
    assert "Requests left" in html
    assert "<html" not in html


@pytest.mark.parametrize(("asked", "shown"), [("12", 12), ("24", 24), ("", 3), ("1000000", 3), ("x", 3)])
def test_engine_page_period_is_one_offered(client, staff, asked, shown):
    response = client.get(ENGINE, {"hours": asked})
    assert response.context["engine"].hours == shown
    assert f'<a href="?hours={shown}" aria-current="true">' in re.sub(r"\s+", " ", response.content.decode())


def test_engine_page_has_constant_queries(client, staff):
    now = timezone.now()
    make.make_heartbeat(10, seen_at=now, role="supervisor")
    client.get(ENGINE)
    with CaptureQueriesContext(connection) as few:
        client.get(ENGINE)
    for number in range(1, 6):
        make.make_heartbeat(number, seen_at=now)
        make.make_minute(now - timedelta(minutes=number), 10)
        make.make_jobs(*["due"] * number, "recorded", finished_at=now)
    with CaptureQueriesContext(connection) as many:
        client.get(ENGINE)
    assert len(many) == len(few)


def test_engine_page_needs_worker_permission(client, helper):
    assert client.get(ENGINE).status_code == 403
    assert ENGINE not in client.get("/admin/").content.decode()


@pytest.mark.parametrize("signed_in", [True, False])
def test_engine_page_sends_others_to_log_in(client, make_user, signed_in):
    if signed_in:
        client.force_login(make_user())
    assert client.get(ENGINE).status_code == 302


def test_engine_page_only_reads(client, staff):
    with CaptureQueriesContext(connection) as queries:
        client.get(ENGINE)
    assert not [q["sql"] for q in queries if re.match(r"(INSERT|UPDATE|DELETE)", q["sql"])]


# Alerts and every page -------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/admin/", ENGINE, "/admin/auth/user/", "/admin/pricing/healthalert/"])
def test_alerts_are_on_every_page(client, staff, address):
    HealthAlert.objects.create(kind="outage", message="It happened.", opened_at=timezone.now())
    HealthAlert.objects.create(
        kind="memory", message="Over.", opened_at=timezone.now(), closed_at=timezone.now()
    )
    html = client.get(address).content.decode()
    assert '<section class="alerts"' in html
    assert "Discogs does not answer" in html
    if address != "/admin/pricing/healthalert/":
        assert "Over." not in html


def test_alerts_name_missing_workers(client, staff):
    assert "No workers run" not in client.get("/admin/").content.decode()
    make.make_run(make.make_connection(), "running")
    assert "No workers run" in client.get("/admin/").content.decode()


def test_alerts_need_permission(client, helper):
    HealthAlert.objects.create(kind="outage", message="It happened.", opened_at=timezone.now())
    assert "It happened." not in client.get("/admin/").content.decode()


def test_alerts_are_hidden_before_login(client):
    HealthAlert.objects.create(kind="outage", message="It happened.", opened_at=timezone.now())
    html = client.get("/admin/login/", follow=True).content.decode()
    assert "It happened." not in html


def fill() -> None:
    collection = make.make_connection()
    release, now = make.make_release(), timezone.now()
    make.make_minute(now, 10, latency_ms_sum=4000, latency_ms_max=900)
    Preferences.objects.get_or_create(user=collection.user)
    Capability.objects.create(name="listings", is_available=False, checked_at=now)
    MarketStat.objects.create(release=release, currency="EUR", amount_minor=1250, observed_at=now)
    make.make_price(release, 500, near_mint_minor=990)
    SourceAttempt.objects.create(source="suggestions", release=release, outcome="none", tried_at=now)
    SourceAttempt.objects.create(source="suggestions", connection=collection, outcome="refused", tried_at=now)
    HealthAlert.objects.create(kind="stall", message="It happened.", opened_at=now)


@pytest.mark.parametrize("table", READ_ONLY)
def test_engine_rows_are_read_only(client, staff, table):
    fill()
    page = client.get(reverse(f"admin:{table}_changelist"))
    assert page.status_code == 200
    row = page.context["cl"].result_list[0]
    detail = client.get(reverse(f"admin:{table}_change", args=[row.pk]))
    assert detail.status_code == 200
    assert 'name="_save"' not in detail.content.decode()
    assert client.post(reverse(f"admin:{table}_change", args=[row.pk]), {}).status_code == 403
    assert client.get(reverse(f"admin:{table}_add")).status_code == 403
    assert client.post(reverse(f"admin:{table}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    ("table", "figures"),
    [
        ("collections_app_apiminute", ("400 ms", "900 ms")),
        ("pricing_marketstat", ("€12.50",)),
        ("pricing_releaseprice", ("$5.00", "$9.90")),
        ("pricing_sourceattempt", ("Discogs has none", "Connection refused", "Price suggestions")),
        ("pricing_healthalert", ("Nothing moves", "It happened.")),
    ],
)
def test_engine_rows_are_human_readable(client, staff, table, figures):
    fill()
    html = client.get(reverse(f"admin:{table}_changelist")).content.decode()
    assert all(figure in html for figure in figures)


@pytest.mark.parametrize(("state", "shown"), [("open", True), ("closed", False)])
def test_alerts_are_found_by_state(client, staff, state, shown):
    fill()
    page = client.get("/admin/pricing/healthalert/", {"state": state})
    assert bool(page.context["cl"].result_list) is shown


@pytest.mark.parametrize(
    "address",
    ["/admin/", ENGINE, "/admin/pricing/pricejob/", "/admin/auth/user/add/", "/admin/auth/group/add/"],
)
def test_admin_pages_keep_name_and_csp(client, staff, address):
    response = client.get(address)
    html = response.content.decode()
    assert "Crateworth" in html
    assert "Django administration" not in html
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]*\ssrc=)", html)
    assert "'unsafe-inline'" not in response.headers["Content-Security-Policy"]


def test_price_page_lists_newest_snapshots(client, staff):
    release = make.make_release()
    make.make_price(release, 1250)
    for ago in range(110):
        make.make_snapshot(release, 1250 - ago, day=DAY - timedelta(days=ago), source="demo")
    html = client.get(f"/admin/pricing/releaseprice/{release.pk}/change/").content.decode()
    assert html.count("Made up for the demo") == 100
    assert "2026-06-01" in html
    assert "$12.50" in html
