"""Middleware of accounts: the second factor, when a session was last seen, and pages for failures."""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.cache import caches
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from collections_app.accounts.adapters import MailNotSent
from collections_app.accounts.login_required import SAFE, own_path
from collections_app.accounts.second_factor import SecondFactor, second_factor_of
from collections_app.encryption import TextUnreadable

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase]
# Prefixes of view names; the names of the admin's pages about the same models begin with "admin:".
ACCOUNT_PAGES = ("account_", "mfa_", "usersessions_")
GIVE_CODE = "mfa_reauthenticate"
WAYS_OUT = {"account_logout", "admin:logout"}
SEEN_EVERY = timedelta(minutes=5)  # the resolution of "last seen", which saves a write for each page


class SecondFactorMiddleware:
    """Require the second factor where a password is not enough: all pages for staff, account pages with two-factor.

    Staff without two-factor login are redirected to its set-up; a session that gave no code, to the page for the code.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], *_: object
    ) -> HttpResponseBase | None:
        user: Any = request.user
        name = request.resolver_match.view_name if request.resolver_match else ""
        is_about_account = name.startswith(ACCOUNT_PAGES)
        if not user.is_authenticated or not (user.is_staff or is_about_account) or _is_open(name, view):
            return None
        factor = second_factor_of(request)
        if factor == SecondFactor.PROVED or (factor == SecondFactor.NOT_SET_UP and is_about_account):
            return None
        if factor == SecondFactor.MISSING and name == GIVE_CODE:
            request.lacks_second_factor = True  # type: ignore[attr-defined]  # shown on the page
            return None
        if getattr(request, "htmx", False):
            return HttpResponse(status=204)  # a fragment: leave it unchanged
        return redirect("mfa_index") if factor == SecondFactor.NOT_SET_UP else _to_give_code(request)


class LastSeenMiddleware:
    """Records when and from which address a session was last used."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        key = request.session.session_key
        if key and request.user.is_authenticated and _is_due(key):
            _record_use(request, key)
        return self.get_response(request)


class TroubleMiddleware:
    """Shows a page with what to do if a mail cannot be sent or a two-factor secret cannot be read."""

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


def _is_open(name: str, view: Callable[..., Any]) -> bool:
    """Whether a page needs no second factor: logging out, and public pages."""
    return name in WAYS_OUT or not getattr(view, "login_required", True)


def _to_give_code(request: HttpRequest) -> HttpResponse:
    if request.method in SAFE:
        page = request.get_full_path()
    else:
        page = own_path(request, request.headers.get("Referer", ""))
        messages.warning(request, "Nothing was changed. Give your code first, then do it again.")
    return redirect_to_login(page, reverse(GIVE_CODE))


def _is_due(session_key: str) -> bool:
    # In the memory of this process, so that most requests do not query the database.
    return caches["pages"].add(f"seen:{session_key}", True, SEEN_EVERY.total_seconds())


def _record_use(request: HttpRequest, session_key: str) -> None:
    now = timezone.now()
    rows = UserSession.objects.filter(session_key=session_key, last_seen_at__lt=now - SEEN_EVERY)
    if not rows.exists():
        return
    seen: dict[str, Any] = {"last_seen_at": now}
    with suppress(PermissionDenied):  # no readable address: keep the last one
        seen["ip"] = get_adapter().get_client_ip(request)
    rows.update(**seen)
