"""A second factor belongs to one session: which sessions have proved it, and what ends the others."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from tests.accounts import (
    PASSWORD,
    SECOND_STEP,
    SET_UP,
    code_in_mail,
    log_in,
    recovery_codes,
    set_up,
    shown_for,
    sure,
    totp_of,
)

# Signals about authenticators are sent when the transaction is committed.
pytestmark = pytest.mark.django_db(transaction=True)
STEP = 30  # seconds for which a code is shown
GIVE_CODE = "/account/2fa/reauthenticate/"


@pytest.fixture(autouse=True)
def clock(transactional_db):
    """At the beginning of the time for which a code is shown; `shift` moves it."""
    now = time.time()
    with time_machine.travel(now - now % STEP + 0.1) as traveller:
        yield traveller
    cache.clear()  # limits are counted in a table that is not emptied after a test


@pytest.fixture
def boss(make_user):
    """Staff who have not set two-factor login up yet."""
    return make_user("boss", is_staff=True, is_superuser=True)


@pytest.fixture
def thief(boss):
    """Another browser that logged in with the stolen password, before two-factor login was set up."""
    browser = Client()
    assert log_in(browser, "boss").url == "/dashboard/"
    return browser


@pytest.fixture
def unlisted(boss):
    """The same, with a session that no row of UserSession leads to."""
    browser = Client()
    browser.force_login(boss)
    assert not UserSession.objects.filter(session_key=browser.session.session_key).exists()
    return browser


def owner_sets_up(client) -> str:
    log_in(client, "boss")
    sure(client)
    return set_up(client)


def asks_for_code(response, next_path: str) -> bool:
    parts = urlsplit(response.headers.get("Location", ""))
    return parts.path == GIVE_CODE and parse_qs(parts.query).get("next") == [next_path]


# Older sessions --------------------------------------------------------------------------------------


def test_setting_up_ends_every_other_session(client, thief):
    key = thief.session.session_key
    owner_sets_up(client)
    assert urlsplit(thief.get("/admin/").url).path == "/admin/login/"
    assert not Session.objects.filter(session_key=key).exists()
    assert UserSession.objects.get().session_key == client.session.session_key


def test_session_that_set_up_is_let_in_at_once(client, boss):
    owner_sets_up(client)
    assert client.get("/admin/").status_code == 200
    assert client.get("/account/sessions/").content.decode().count("This one") == 1


@pytest.mark.parametrize(
    "address", ["/admin/", "/admin/auth/user/?q=a", "/dashboard/", "/settings/", "/syncs/"]
)
def test_older_session_needs_a_code_first(client, unlisted, address):
    owner_sets_up(client)
    assert asks_for_code(unlisted.get(address), address)


def test_older_session_goes_on_after_its_code(client, unlisted, clock):
    secret = owner_sets_up(client)
    clock.shift(STEP)
    key = unlisted.session.session_key
    asked = unlisted.get("/admin/auth/user/?q=a").url
    assert "no code has been entered in this session yet" in unlisted.get(asked).content.decode()
    assert unlisted.post(asked, {"code": "000000x"}).status_code == 200
    assert asks_for_code(unlisted.get("/admin/"), "/admin/")
    assert unlisted.post(asked, {"code": shown_for(secret)}).url == "/admin/auth/user/?q=a"
    assert unlisted.get("/admin/auth/user/?q=a").status_code == 200
    assert unlisted.session.session_key != key
    assert not Session.objects.filter(session_key=key).exists()


def test_password_alone_opens_no_account_page(client, unlisted):
    owner_sets_up(client)
    for name in ("mfa_deactivate_totp", "mfa_generate_recovery_codes", "mfa_view_recovery_codes"):
        assert asks_for_code(unlisted.get(reverse(name)), reverse(name)), name
    for name in ("account_reauthenticate", "account_change_password", "account_email", "usersessions_list"):
        response = unlisted.post(reverse(name), {"password": PASSWORD})
        assert urlsplit(response.url).path == GIVE_CODE, name
    assert Authenticator.objects.count() == 2


def test_owner_without_staff_is_guarded_too(client, make_user):
    user = make_user("boss")
    older = Client()
    older.force_login(user)
    owner_sets_up(client)
    off = reverse("mfa_deactivate_totp")
    assert asks_for_code(older.get(off), off)
    assert older.get("/dashboard/").status_code == 200


def test_two_pages_stay_open_without_a_code(client, unlisted):
    owner_sets_up(client)
    assert unlisted.get("/healthz").status_code == 200
    assert unlisted.post("/account/logout/").url == "/"


def test_post_without_a_code_changes_nothing(client, unlisted, make_user):
    other = make_user("other")
    owner_sets_up(client)
    page = f"/admin/auth/user/{other.pk}/delete/"
    response = unlisted.post(page, {"post": "yes"}, headers={"Referer": f"http://testserver{page}"})
    assert asks_for_code(response, page)
    assert "Nothing was changed" in unlisted.get(response.url).content.decode()
    other.refresh_from_db()


def test_foreign_post_leads_to_the_dashboard(client, unlisted):
    owner_sets_up(client)
    response = unlisted.post("/syncs/start/", headers={"Referer": "https://evil.example/"})
    assert asks_for_code(response, "/dashboard/")


def test_live_part_without_a_code_is_left_alone(client, unlisted):
    owner_sets_up(client)
    for address in ("/syncs/bar/", "/admin/pricing/workerheartbeat/engine/"):
        response = unlisted.get(address, headers={"HX-Request": "true"})
        assert (response.status_code, response.content) == (204, b"")


# What counts as a second factor ----------------------------------------------------------------------


def test_login_with_a_code_counts(client, make_staff):
    boss = make_staff("boss")
    log_in(client, "boss")
    assert client.get("/admin/").status_code == 302
    client.post(SECOND_STEP, {"code": totp_of(boss)})
    assert client.get("/admin/").status_code == 200


def test_login_with_a_recovery_code_counts(client, boss):
    owner_sets_up(client)
    code = recovery_codes(client)[0]
    phone = Client()
    log_in(phone, "boss")
    phone.post(SECOND_STEP, {"code": code})
    assert phone.get("/admin/").status_code == 200


def test_recovery_code_counts_in_older_session(client, unlisted):
    owner_sets_up(client)
    code = recovery_codes(client)[0]
    assert unlisted.post(f"{GIVE_CODE}?next=/admin/", {"code": code}).url == "/admin/"
    assert unlisted.get("/admin/").status_code == 200


def test_new_recovery_codes_end_other_sessions(client, boss, clock):
    secret = owner_sets_up(client)
    clock.shift(STEP)
    phone = Client()
    log_in(phone, "boss")
    phone.post(SECOND_STEP, {"code": shown_for(secret)})
    assert phone.get("/admin/").status_code == 200
    assert client.post("/account/2fa/recovery-codes/generate/").status_code == 302
    assert urlsplit(phone.get("/admin/").url).path == "/admin/login/"
    assert client.get("/admin/").status_code == 200


def test_removed_app_code_is_refused(client, boss, clock):
    secret = owner_sets_up(client)
    clock.shift(STEP)
    phone = Client()
    log_in(phone, "boss")
    phone.post(SECOND_STEP, {"code": shown_for(secret)})
    row = UserSession.objects.get(session_key=phone.session.session_key)
    row.delete()  # so that it is not ended with the others
    client.post("/account/2fa/totp/deactivate/")
    assert urlsplit(phone.get("/admin/").url).path == "/account/2fa/"
    clock.shift(STEP)
    sure(client)
    set_up(client)
    assert client.get("/admin/").status_code == 200
    assert asks_for_code(phone.get("/admin/"), "/admin/")


def test_old_recovery_code_is_refused(client, boss, clock):
    owner_sets_up(client)
    code = recovery_codes(client)[0]
    phone = Client()
    log_in(phone, "boss")
    phone.post(SECOND_STEP, {"code": code})
    UserSession.objects.get(session_key=phone.session.session_key).delete()
    client.post("/account/2fa/totp/deactivate/")
    clock.shift(STEP)
    sure(client)
    set_up(client)
    assert asks_for_code(phone.get("/admin/"), "/admin/")


def test_new_staff_member_needs_a_code(client, make_user):
    user = make_user("boss")
    log_in(client, "boss")
    assert client.get("/dashboard/").status_code == 200
    type(user).objects.update(is_staff=True, is_superuser=True)
    assert client.get("/dashboard/").url == "/account/2fa/"
    sure(client)
    set_up(client)
    assert client.get("/admin/").status_code == 200


def test_session_of_another_user_is_kept(client, boss, make_user):
    make_user("other")
    other = Client()
    log_in(other, "other")
    owner_sets_up(client)
    assert other.get("/dashboard/").status_code == 200


def test_setup_changes_the_session_key(client, boss):
    log_in(client, "boss")
    sure(client)
    before = client.session.session_key
    set_up(client)
    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()


def test_half_way_login_needs_a_new_code(client, make_user):
    """A password was given, and a code from a mail is still asked for, while two-factor login is set up elsewhere."""
    user = make_user("boss", is_staff=True, is_superuser=True)
    user.emailaddress_set.update(verified=False)
    half = Client()
    assert log_in(half, "boss").url == "/account/confirm-email/"
    mailed = code_in_mail()
    user.emailaddress_set.update(verified=True)
    owner_sets_up(client)
    user.emailaddress_set.update(verified=False)
    assert half.post("/account/confirm-email/", {"code": mailed}).url == SECOND_STEP
    assert half.get("/admin/").status_code == 302


def test_password_reset_code_is_no_second_factor(client, boss, thief):
    owner_sets_up(client)
    reset = Client()
    reset.post("/account/password/reset/", {"email": "boss@example.org"})
    reset.post("/account/password/reset/confirm/", {"code": code_in_mail()}, follow=True)
    chosen = {"password1": "another-long-password", "password2": "another-long-password"}
    reset.post("/account/password/reset/complete/", chosen, follow=True)
    assert urlsplit(reset.get("/admin/").url).path == "/admin/login/"
    assert log_in(reset, "boss", "another-long-password").url == SECOND_STEP
    assert reset.get("/admin/").status_code == 302
    assert urlsplit(client.get("/admin/").url).path == "/admin/login/"  # its password is the old one


def test_trusted_browser_is_no_second_factor(client, unlisted):
    owner_sets_up(client)
    unlisted.cookies["mfa_trusted"] = "whatever"
    assert asks_for_code(unlisted.get("/admin/"), "/admin/")


def test_reset_by_command_ends_every_session(client, boss, capsys):
    owner_sets_up(client)
    call_command("reset_two_factor", "boss")
    assert urlsplit(client.get("/admin/").url).path == "/admin/login/"
    assert not UserSession.objects.exists()


# The admin's own login form --------------------------------------------------------------------------


def test_admin_form_logs_no_user_in(client, make_staff, make_user):
    boss = make_staff("boss")
    make_staff("deputy")
    log_in(client, "boss")
    client.post(SECOND_STEP, {"code": totp_of(boss)})
    response = client.post("/admin/login/", {"username": "deputy", "password": PASSWORD})
    assert response.url == "/admin/"
    assert client.get("/admin/").context["user"] == boss


def test_setup_page_is_closed_once_set_up(client, make_staff):
    boss = make_staff("boss")
    log_in(client, "boss")
    client.post(SECOND_STEP, {"code": totp_of(boss)})
    sure(client)
    assert client.get(SET_UP).url == "/account/2fa/totp/deactivate/"
