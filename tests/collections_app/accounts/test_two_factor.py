"""Two-factor login: setting it up, using it, and that staff must have it."""

import time

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from tests.accounts import (
    PASSWORD,
    SECOND_STEP,
    SET_UP,
    force_login_with_code,
    log_in,
    recovery_codes,
    set_up,
    sure,
    totp_of,
)

# What follows the set-up follows when its transaction is committed.
pytestmark = pytest.mark.django_db(transaction=True)
STEP = 30  # seconds for which a code is shown


@pytest.fixture(autouse=True)
def early_in_the_step(transactional_db):
    """So that a code does not change between its making and its use."""
    now = time.time()
    with time_machine.travel(now - now % STEP + 0.1):
        yield
    cache.clear()  # limits are counted in a table that is not emptied after a test


@pytest.fixture
def guarded(client, make_user):
    """A user who has set two-factor login up, in the browser `client`."""
    user = make_user("guarded")
    log_in(client, "guarded")
    sure(client)
    set_up(client)
    return user


def test_setup_asks_for_the_password_first(client, make_user):
    make_user("someone")
    log_in(client, "someone")
    assert client.get(SET_UP).url == f"/account/reauthenticate/?next={SET_UP.replace('/', '%2F')}"
    sure(client)
    assert client.post(SET_UP, {"code": "000000x"}).status_code == 200
    assert not Authenticator.objects.exists()
    set_up(client)
    assert "Recovery codes and more" in client.get("/settings/").content.decode()


def test_secrets_are_stored_encrypted(client, make_user):
    user = make_user("someone")
    log_in(client, "someone")
    sure(client)
    secret = set_up(client)
    for stored in Authenticator.objects.filter(user=user):
        sealed = stored.data["secret" if stored.type == "totp" else "seed"]
        assert sealed.startswith("gAAAA")
        assert secret not in str(stored.data)


def test_login_then_needs_a_code(guarded):
    client = Client()
    assert log_in(client, "guarded").url == SECOND_STEP
    assert client.get("/settings/").status_code == 302
    assert "Second step" in client.get(SECOND_STEP).content.decode()
    assert "That code is not right" in client.post(SECOND_STEP, {"code": "1"}).content.decode()
    assert client.post(SECOND_STEP, {"code": totp_of(guarded)}).url == "/dashboard/"
    assert client.get("/settings/").status_code == 200


def test_code_counts_once(guarded):
    first, second = Client(), Client()
    code = totp_of(guarded)
    log_in(first, "guarded")
    log_in(second, "guarded")
    assert first.post(SECOND_STEP, {"code": code}).status_code == 302
    assert second.post(SECOND_STEP, {"code": code}).status_code == 200


def test_recovery_code_logs_in_once(client, guarded):
    code = recovery_codes(client)[0]
    for status in (302, 200):
        other = Client()
        log_in(other, "guarded")
        assert other.post(SECOND_STEP, {"code": code}).status_code == status
    assert len(recovery_codes(client)) == 9


def test_new_recovery_codes_replace_old_ones(client, guarded):
    old = recovery_codes(client)
    assert client.post("/account/2fa/recovery-codes/generate/").status_code == 302
    new = recovery_codes(client)
    assert len(new) == 10
    assert not set(old) & set(new)
    assert client.get("/account/2fa/recovery-codes/download/").content.decode().split() == new


def test_two_factor_can_be_switched_off(client, guarded):
    assert "Switch off" in client.get("/account/2fa/totp/deactivate/").content.decode()
    assert client.post("/account/2fa/totp/deactivate/").url == "/account/2fa/"
    assert not Authenticator.objects.exists()


def test_guessing_codes_is_limited(guarded, settings):
    client = Client()
    log_in(client, "guarded")
    for _ in range(5):
        client.post(SECOND_STEP, {"code": "1"})
    html = client.post(SECOND_STEP, {"code": totp_of(guarded)}).content.decode()
    assert "Too many failed attempts" in html


def test_command_helps_after_total_loss(client, guarded, capsys):
    call_command("reset_two_factor", "guarded@example.org")
    assert "was removed" in capsys.readouterr().out
    assert client.get("/settings/").status_code == 302
    assert log_in(Client(), "guarded").url == "/dashboard/"
    call_command("reset_two_factor", "guarded")
    assert "was not set up" in capsys.readouterr().out


# Staff -----------------------------------------------------------------------------------------------


@pytest.fixture
def bare_staff(client, make_user):
    """Staff without two-factor login."""
    user = make_user("boss", is_staff=True, is_superuser=True)
    log_in(client, "boss")
    return user


@pytest.mark.parametrize("address", ["/admin/", "/admin/auth/user/", "/dashboard/", "/settings/", "/syncs/"])
def test_staff_without_it_are_sent_to_setup(client, bare_staff, address):
    response = client.get(address, follow=True)
    assert response.redirect_chain[-1][0] == "/account/2fa/"
    assert "so it needs two-factor login" in response.content.decode()


@pytest.mark.parametrize(
    ("method", "name", "status"),
    [
        ("get", "account_change_password", 200),
        ("get", "account_email", 200),
        ("get", "usersessions_list", 200),
        ("get", "healthz", 200),
        ("post", "account_logout", 302),
        ("post", "admin:logout", 200),
    ],
)
def test_account_pages_and_logout_stay_open(client, bare_staff, method, name, status):
    response = getattr(client, method)(reverse(name))
    assert response.status_code == status
    assert response.headers.get("Location") != "/account/2fa/"


def test_live_part_is_left_alone(client, bare_staff):
    response = client.get("/syncs/bar/", headers={"HX-Request": "true"})
    assert (response.status_code, response.content) == (204, b"")


def test_staff_see_every_page_after_setup(client, bare_staff):
    sure(client)
    set_up(client)
    assert client.get("/admin/").status_code == 200
    assert client.get("/dashboard/").status_code == 200


def test_other_users_need_no_second_factor(client, make_user):
    client.force_login(make_user())
    assert client.get("/dashboard/").status_code == 200


# The admin -------------------------------------------------------------------------------------------


def test_admin_uses_the_login_of_the_site(client, make_staff):
    boss = make_staff("boss")
    asked = client.get("/admin/login/?next=/admin/auth/user/")
    assert asked.url == "/account/login/?next=%2Fadmin%2Fauth%2Fuser%2F"
    posted = client.post("/admin/login/", {"username": "boss", "password": PASSWORD})
    assert posted.url.startswith("/account/login/")
    assert client.get("/admin/").status_code == 302
    assert log_in(client, "boss").url == SECOND_STEP
    client.post(SECOND_STEP, {"code": totp_of(boss)})
    assert client.get("/admin/").status_code == 200


def test_admin_is_closed_to_other_users(client, make_user):
    client.force_login(make_user())
    assert client.get("/admin/login/").status_code == 403
    assert client.get("/admin/", follow=True).status_code == 403


def test_admin_password_page_leads_to_ours(client, make_staff):
    force_login_with_code(client, make_staff())
    assert client.get(reverse("admin:password_change")).url == "/account/password/change/"
    assert client.post(reverse("admin:password_change")).url == "/account/password/change/"


@pytest.mark.parametrize("table", ["mfa_authenticator", "usersessions_usersession"])
def test_admin_shows_no_secret_or_session_key(client, make_staff, table):
    boss = make_staff("boss")
    log_in(client, "boss")
    client.post(SECOND_STEP, {"code": totp_of(boss)})
    listed = client.get(reverse(f"admin:{table}_changelist"))
    for row in listed.context["cl"].result_list:
        html = client.get(reverse(f"admin:{table}_change", args=[row.pk])).content.decode()
        assert client.session.session_key not in html
        assert "gAAAA" not in html
        assert 'name="_save"' not in html
    assert listed.context["cl"].result_list
