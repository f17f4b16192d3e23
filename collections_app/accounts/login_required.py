"""Login redirects: a page whose session has ended leads through the login page back to itself."""

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseRedirectBase
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

SAFE = {"GET", "HEAD"}


class LoginMiddleware(LoginRequiredMiddleware):
    """Require a login by default, like Django's own. A fragment or an action returns to the page that requested it."""

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view: Callable[..., Any]
    ) -> HttpResponseRedirectBase:
        htmx = cast(HtmxDetails, request.htmx)  # type: ignore[attr-defined]
        if htmx:
            # A login page swapped into a polled fragment would be requested again and again.
            return HttpResponseClientRedirect(self._login(request, view, htmx.current_url or "").url)
        if request.method not in SAFE:
            return self._login(request, view, request.headers.get("Referer", ""))
        return super().handle_no_permission(request, view)

    def _login(self, request: HttpRequest, view: Callable[..., Any], page: str) -> HttpResponseRedirect:
        return redirect_to_login(
            own_path(request, page), self.get_login_url(view), self.get_redirect_field_name(view)
        )


def own_path(request: HttpRequest, page: str) -> str:
    """The path of a URL of this site; the dashboard's for any other."""
    if url_has_allowed_host_and_scheme(page, allowed_hosts={request.get_host()}):
        path = urlunsplit(("", "", *urlsplit(page)[2:4], ""))
        if path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None):
            return path
    return resolve_url(settings.LOGIN_REDIRECT_URL)
