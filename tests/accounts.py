"""Shared by tests of accounts: codes from emails and authenticators, staff sessions, a counting password hasher."""

import re
import time
from typing import ClassVar

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail

from collections_app.encryption import decrypt_text

PASSWORD = "a-long-password"
SET_UP = "/account/2fa/totp/activate/"
SECOND_STEP = "/account/2fa/authenticate/"


class CountingHasher(MD5PasswordHasher):
    """Counts how often a password is hashed, which is nearly all the work of a request with a password."""

    algorithm = "counting"
    times: ClassVar[list[str]] = []

    def encode(self, password: str, salt: str) -> str:
        self.times.append("hashed")
        return super().encode(password, salt)


def code_in_mail(number: int = -1) -> str:
    """The code in the newest email, or in the one with this index."""
    found = re.search(r"^ {4}(\S+)$", mail.outbox[number].body, re.MULTILINE)
    assert found, mail.outbox[number].body
    return found[1]


def totp_of(user) -> str:
    """The code that the user's authenticator shows now."""
    return shown_for(stored_secret(user))


def stored_secret(user) -> str:
    row = Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP)
    return decrypt_text(row.data["secret"])


def shown_for(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def log_in(client, login: str, password: str = PASSWORD, **extra):
    return client.post("/account/login/", {"login": login, "password": password}, **extra)


def sure(client) -> None:
    """Enter the password again, which every page that changes an account requires."""
    assert client.post("/account/reauthenticate/", {"password": PASSWORD}).status_code == 302


def set_up(client) -> str:
    """Set up two-factor login; return the secret that the page showed."""
    html = client.get(SET_UP).content.decode()
    secret = re.search(r'class="secret">([A-Z2-7]+)<', html)[1]
    assert 'src="data:image/svg+xml;base64,' in html
    assert client.post(SET_UP, {"code": shown_for(secret)}).url == "/account/2fa/recovery-codes/"
    return secret


def recovery_codes(client) -> list[str]:
    return re.findall(r"<code>(\d+)</code>", client.get("/account/2fa/recovery-codes/").content.decode())


def force_login_with_code(client, user) -> None:
    """Log staff in with the result of the login form and a code, without using up a code or an attempt."""
    client.force_login(user)
    app = Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP)
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [
        {"method": "mfa", "at": time.time(), "id": app.pk, "type": app.type}
    ]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
