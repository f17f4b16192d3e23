"""Headers of every answer, including error pages and static files."""

from collections.abc import Callable

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.security import SecurityMiddleware
from django.utils.cache import patch_cache_control

# Deny the browser features that the site does not use.
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class HeadersMiddleware(SecurityMiddleware):
    """Adds the headers of Django's own and ours, also to answers made before Django's own runs."""

    def process_request(self, request: HttpRequest) -> None:
        """Leave redirects to https to Django's own: they read the Host header, which may be invalid."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response = super().process_response(request, response)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response


class PrivateMiddleware:
    """Forbids storing a signed-in user's pages: after logging out, the Back button must not show them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if _is_private(request, response):
            patch_cache_control(response, private=True, no_store=True)
        return response


def _is_private(request: HttpRequest, response: HttpResponseBase) -> bool:
    # A page that did not read the session contains nothing of a user. Reading it now could wait for a database that
    # does not answer; error pages are marked no-store anyway.
    return response.status_code < 500 and request.session.accessed and SESSION_KEY in request.session
