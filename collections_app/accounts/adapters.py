"""The adapters of django-allauth: its messages, mail, limits and the encryption of its secrets."""

import logging
from contextlib import suppress
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from collections_app.accounts.addresses import plain_address
from collections_app.encryption import decrypt_text, encrypt_text

logger = logging.getLogger(__name__)

# The same sentence for a wrong password, an unknown name and an unconfirmed address, so that none can be told apart.
NO_MATCH = (
    "This name or address does not match this password, or the address was never confirmed. Nothing was changed; "
    "try again, or choose a new password by mail, which confirms the address too."
)
TRY_LATER = "Too many failed attempts. Nothing was changed; wait a few minutes and try again."
WRONG_CODE = "That code is not right. Check it and enter it again."
NO_ADDRESS = (
    "This account has no email address to confirm. The operator of this site can add one with the command "
    "confirm_email; then log in again."
)


class MailNotSent(Exception):
    """The mail server could not be reached, or it refused the mail."""


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": NO_MATCH,
        "username_password_mismatch": NO_MATCH,
        "too_many_login_attempts": TRY_LATER,
        "rate_limited": TRY_LATER,
        "incorrect_code": WRONG_CODE,
        "incorrect_password": "That is not your password. Nothing was changed; try again.",
        "enter_current_password": "That is not your current password. Nothing was changed.",
        "email_taken": "This address belongs to another account. Nothing was changed.",
        "duplicate_email": "This is your address already. Nothing was changed.",
    }

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Refuse an account without an address to confirm. Called only after the right password."""
        if not user.email and not EmailAddress.objects.filter(user_id=user.pk).exists():
            messages.error(request, NO_ADDRESS)
            return redirect("account_login")
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return response

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Raises MailNotSent."""
        try:
            super().send_mail(template_prefix, email, context)
        except OSError as error:  # the base class of all errors of smtplib
            # Without the error's text, which contains the address.
            logger.error("mail %s was not sent: %s", template_prefix, type(error).__name__)
            raise MailNotSent from None

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Report something that has already happened: it stays so even if the mail cannot be sent."""
        with suppress(MailNotSent):
            super().send_notification_mail(*args, **kwargs)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return "/settings/"

    def get_client_ip(self, request: HttpRequest) -> str:
        """Raises PermissionDenied if there is no address, for example if there are fewer proxies than configured."""
        try:
            return plain_address(super().get_client_ip(request))
        except ImproperlyConfigured:
            logger.warning("X-Forwarded-For has fewer entries than TRUSTED_PROXIES")
            raise PermissionDenied from None

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # Without the Host header, which allauth includes: each host name of the site would allow five more attempts.
        return str(credentials.get("email", credentials.get("username", ""))).lower()


class MFAAdapter(DefaultMFAAdapter):
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": WRONG_CODE,
        "unverified_email": "Confirm your email address first; then set up two-factor login.",
    }

    def encrypt(self, text: str) -> str:
        return encrypt_text(text)

    def decrypt(self, encrypted_text: str) -> str:
        return decrypt_text(encrypted_text)
