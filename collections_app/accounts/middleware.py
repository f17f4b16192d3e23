"""Two-factor login for staff, when a session was last seen, and what stands in the way of an account."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone

from collections_app.accounts.adapters import MailNotSent
from collections_app.sealing import TextUnreadable

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase]
# How their names begin; those of the admin's pages about the same models begin with "admin:".
ACCOUNT_PAGES = ("account_", "mfa_", "usersessions_")
SEEN_EVERY = timedelta(minutes=5)  # last seen is as exact as that, and costs no write for each page


class StaffTwoFactorMiddleware:
    """Leads staff without two-factor login to its page, from everywhere but the pages about the account."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], *_: object
    ) -> HttpResponseBase | None:
        user: Any = request.user
        if not user.is_authenticated or not user.is_staff or _is_open(request, view):
            return None
        if Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.TOTP).exists():
            return None
        if getattr(request, "htmx", False):
            return HttpResponse(status=204)  # a live part of a page: leave it as it is
        return redirect("mfa_index")


class LastSeenMiddleware:
    """Notes when and from where a session was last used."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        key = request.session.session_key
        if key and request.user.is_authenticated and _is_time(key):
            _note(request, key)
        return self.get_response(request)


class TroubleMiddleware:
    """A page that says what to do when a mail cannot be sent, or a two-factor secret not be read."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, MailNotSent):
            return render(request, "account/mail_not_sent.html", status=503)
        if isinstance(error, TextUnreadable):
            logger.error("a two-factor secret cannot be read: its key is missing")
            return render(request, "mfa/unreadable.html", status=503)
        return None


def _is_open(request: HttpRequest, view: Callable[..., Any]) -> bool:
    """Pages about the account, those for everyone, and the way out of the admin."""
    match = request.resolver_match
    about_the_account = match is not None and match.view_name.startswith(ACCOUNT_PAGES)
    leaves = match is not None and match.view_name == "admin:logout"
    return about_the_account or leaves or not getattr(view, "login_required", True)


def _is_time(session_key: str) -> bool:
    # In the memory of this process: the database is asked once in a while only.
    return caches["pages"].add(f"seen:{session_key}", True, SEEN_EVERY.total_seconds())


def _note(request: HttpRequest, session_key: str) -> None:
    now = timezone.now()
    rows = UserSession.objects.filter(session_key=session_key, last_seen_at__lt=now - SEEN_EVERY)
    if rows.exists():
        rows.update(last_seen_at=now, ip=get_adapter().get_client_ip(request))
