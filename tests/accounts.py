"""What tests about accounts share: codes from mails, codes of an authenticator, and counted work."""

import re
import time
from typing import ClassVar

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail

from collections_app.sealing import decrypt_text

PASSWORD = "a-long-password"


class CountingHasher(MD5PasswordHasher):
    """Counts how often a password is hashed: nearly all the work of an answer about a password."""

    algorithm = "counting"
    times: ClassVar[list[str]] = []

    def encode(self, password: str, salt: str) -> str:
        self.times.append("hashed")
        return super().encode(password, salt)


def code_in_mail(number: int = -1) -> str:
    """The code in the newest mail, or in the one of that number."""
    found = re.search(r"^ {4}(\S+)$", mail.outbox[number].body, re.MULTILINE)
    assert found, mail.outbox[number].body
    return found[1]


def totp_of(user) -> str:
    """What the user's authenticator shows now."""
    return shown_for(stored_secret(user))


def stored_secret(user) -> str:
    row = Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP)
    return decrypt_text(row.data["secret"])


def shown_for(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def log_in(client, login: str, password: str = PASSWORD, **extra):
    return client.post("/account/login/", {"login": login, "password": password}, **extra)
