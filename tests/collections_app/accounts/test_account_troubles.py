"""What stands in the way of an account: mail that cannot be sent, and secrets that cannot be read."""

import smtplib

import pytest
from allauth.account.models import EmailAddress
from cryptography.fernet import Fernet
from django.contrib.auth import get_user_model
from django.core.mail.backends.base import BaseEmailBackend
from django.test import Client

from tests.accounts import PASSWORD, force_login_with_code, log_in

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "another-long-one-17"


class RefusingBackend(BaseEmailBackend):
    """A mail server that takes nothing."""

    def send_messages(self, messages):
        raise smtplib.SMTPRecipientsRefused({letter.to[0]: (550, b"no") for letter in messages})


@pytest.fixture
def refused(settings):
    settings.EMAIL_BACKEND = f"{__name__}.RefusingBackend"


@pytest.mark.parametrize("name", ["newcomer", "known"])
def test_sign_up_without_mail_stores_nothing(client, make_user, refused, name):
    make_user("known")
    answer = client.post("/account/signup/", {"email": f"{name}@example.org", "password1": NEW_PASSWORD})
    assert (answer.status_code, "Nothing was changed" in answer.content.decode()) == (503, True)
    assert list(get_user_model().objects.values_list("username", flat=True)) == ["known"]
    assert EmailAddress.objects.count() == 1
    assert client.get("/account/confirm-email/", follow=True).status_code == 200
    assert client.get("/settings/").status_code == 302


def test_sign_up_works_once_mail_is_back(client, settings, refused):
    form = {"email": "newcomer@example.org", "password1": NEW_PASSWORD}
    settings.ACCOUNT_RATE_LIMITS = False
    assert client.post("/account/signup/", form).status_code == 503
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert client.post("/account/signup/", form).url == "/account/confirm-email/"


@pytest.mark.parametrize("name", ["known", "unknown"])
def test_password_reset_without_mail_says_so(client, make_user, refused, name):
    make_user("known")
    assert client.post("/account/password/reset/", {"email": f"{name}@example.org"}).status_code == 503
    assert get_user_model().objects.get().check_password(PASSWORD)


def test_password_change_survives_unsent_mail(client, make_user, refused, caplog):
    user = make_user("someone")
    log_in(client, "someone")
    form = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert client.post("/account/password/change/", form).url == "/settings/"
    user.refresh_from_db()
    assert user.check_password(NEW_PASSWORD)
    assert "password_changed was not sent: SMTPRecipientsRefused" in caplog.text
    assert "example.org" not in caplog.text


@pytest.fixture
def without_key(make_staff, settings):
    """Staff whose two-factor secret was sealed with a key that is gone."""
    boss = make_staff("boss")
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    return boss


def test_unreadable_second_step_names_way_out(without_key):
    client = Client()
    log_in(client, "boss")
    answer = client.post("/account/2fa/authenticate/", {"code": "123456"})
    assert answer.status_code == 503
    assert "Contact the operator of" in answer.content.decode()


@pytest.mark.parametrize("page", ["", "recovery-codes/", "recovery-codes/generate/"])
def test_unreadable_second_step_can_be_disabled(client, without_key, page):
    force_login_with_code(client, without_key)
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    answer = client.get(f"/account/2fa/{page}")
    assert answer.status_code == 503
    assert "/account/2fa/totp/deactivate/" in answer.content.decode()
    assert client.get("/account/2fa/totp/deactivate/").status_code == 200
    assert client.post("/account/2fa/totp/deactivate/").status_code == 302
    assert client.get("/account/2fa/").status_code == 200


def test_disabling_needs_a_code_in_the_session(client, without_key):
    client.force_login(without_key)
    answer = client.post("/account/2fa/reauthenticate/", {"code": "123456"})
    assert answer.status_code == 503
    assert "/account/2fa/totp/deactivate/" not in answer.content.decode()
    assert client.post("/account/2fa/totp/deactivate/").url.startswith("/account/2fa/reauthenticate/")
