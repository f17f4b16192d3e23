"""Pages without a price, the account pages and the admin, through the client."""

import re

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from collections_app.models import ApiGate, ImportPass, Preferences
from pricing.models import ExchangeRate, WorkerHeartbeat
from tests import factories as make
from tests.accounts import force_login_with_code

pytestmark = pytest.mark.django_db
TABLES = [
    "collections_app_discogsconnection",
    "collections_app_release",
    "collections_app_importpass",
    "collections_app_preferences",
    "collections_app_apigate",
    "pricing_syncrun",
    "pricing_pricejob",
    "pricing_releaseprice",
    "pricing_exchangerate",
    "pricing_workerheartbeat",
]


@pytest.fixture
def staff(client, make_staff):
    user = make_staff()
    force_login_with_code(client, user)
    return user


def fill(number):
    """One more row of everything the admin lists."""
    collection = make.make_connection(f"owner{number}", credential="sealed-secret")
    release = make.make_copy(collection).release
    make.make_item(make.make_run(collection), release, "dead", error_kind="server")
    make.make_snapshot(release, 100, day=timezone.now().date())
    make.make_price(release, 100)
    Preferences.objects.create(user=collection.user)
    ExchangeRate.objects.create(currency=f"X{number}", micros_per_usd=1, observed_at=timezone.now())
    ImportPass.objects.create(connection=collection, started_at=timezone.now())
    ApiGate.objects.create(egress=f"way out {number}")
    WorkerHeartbeat.objects.create(
        host="host", pid=number, started_at=timezone.now(), seen_at=timezone.now(), jobs=10, errors=1
    )


def test_landing_page_is_public(client, make_user):
    html = client.get("/").content.decode()
    assert "not affiliated with, sponsored or endorsed by Discogs" in html
    assert "Data provided by Discogs." in html
    client.force_login(make_user())
    assert client.get("/").url == "/dashboard/"


def test_health_page_is_public(client):
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("account_login", "Log in"),
        ("account_signup", "Sign up"),
        ("account_reset_password", "Reset your password"),
        ("account_password_reset_completed", "Password changed"),
        ("account_inactive", "This account is switched off"),
    ],
)
def test_account_pages_use_the_site_layout(client, name, heading):
    html = client.get(reverse(name)).content.decode()
    assert re.search(rf"<h1>\s*{re.escape(heading)}\s*</h1>", html)
    assert "css/site.css" in html


@pytest.mark.parametrize(
    "name",
    [
        "account_email",
        "account_change_password",
        "account_logout",
        "account_reauthenticate",
        "mfa_index",
        "usersessions_list",
        "settings",
    ],
)
def test_own_account_pages_use_the_site_layout(client, make_user, name):
    client.force_login(make_user())
    html = client.get(reverse(name)).content.decode()
    assert "css/site.css" in html
    assert "Menu:" not in html


def test_login_leads_to_the_dashboard(client, make_user):
    make_user("someone")
    response = client.post("/account/login/", {"login": "someone", "password": "a-long-password"})
    assert response.url == "/dashboard/"


def test_wrong_password_is_explained(client, make_user):
    make_user("someone")
    html = client.post("/account/login/", {"login": "someone", "password": "wrong"}).content.decode()
    assert 'role="alert"' in html


def test_settings_show_the_connection(client):
    collection = make.make_connection("someone", credential="sealed-secret")
    client.force_login(collection.user)
    html = client.get("/settings/").content.decode()
    assert "someone_at_discogs" in html
    assert "Personal access token" in html
    assert "sealed-secret" not in html


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (True, "Discogs suggests prices by grade for your copies."),
        (False, "only to accounts with seller settings. Fill them in at"),
        (None, "is not known yet"),
    ],
)
def test_settings_say_whether_there_are_suggestions(client, settings, known, words):
    client.force_login(make.make_connection(has_seller_settings=known).user)
    html = client.get("/settings/").content.decode()
    assert words in " ".join(html.split())
    address = f'href="{settings.DISCOGS_WEB_URL}/settings/seller"'
    assert (address in html) == (known is False)


def test_unknown_address_says_so_plainly(client):
    response = client.get("/nothing/like/it/")
    assert response.status_code == 404
    assert "Page not found" in response.content.decode()


@pytest.mark.parametrize("table", TABLES)
def test_admin_lists_have_constant_queries(client, staff, table):
    fill(1)
    address = reverse(f"admin:{table}_changelist")
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        assert client.get(address).status_code == 200
    for number in range(2, 6):
        fill(number)
    with CaptureQueriesContext(connection) as many:
        html = client.get(address).content.decode()
    assert len(many) == len(few)
    assert "sealed-secret" not in html


@pytest.mark.parametrize("table", TABLES)
def test_admin_is_read_only_without_credentials(client, staff, table):
    fill(1)
    model = next(model for model in admin.site._registry if model._meta.db_table == table)
    row = model.objects.first()
    page = client.get(reverse(f"admin:{table}_change", args=[row.pk]))
    assert page.status_code == 200
    assert "sealed-secret" not in page.content.decode()
    assert 'name="_save"' not in page.content.decode()
    assert client.post(reverse(f"admin:{table}_change", args=[row.pk]), {}).status_code == 403
    assert client.get(reverse(f"admin:{table}_add")).status_code == 403
    assert client.post(reverse(f"admin:{table}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


def test_jobs_are_found_by_release_and_state(client, staff):
    fill(1)
    release = make.make_release(title="Sought")
    make.make_item(make.make_run(make.make_connection("other")), release, "recorded")
    address = reverse("admin:pricing_pricejob_changelist")
    assert "Sought" in client.get(address, {"q": str(release.pk)}).content.decode()
    assert "Sought" not in client.get(address, {"state__exact": "dead"}).content.decode()
    assert "Sought" not in client.get(address, {"error_kind": "server"}).content.decode()


def test_admin_pages_of_the_queue_are_gone():
    assert not [model for model in admin.site._registry if model._meta.app_label == "django_q"]
