"""Headers of every answer, those of error pages and static files included."""

from collections.abc import Callable

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.security import SecurityMiddleware
from django.utils.cache import patch_cache_control

# Nothing of a browser that the site has no use for.
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class HeadersMiddleware(SecurityMiddleware):
    """Adds what Django's own adds, to answers that are made before its turn too."""

    def process_request(self, request: HttpRequest) -> None:
        """Redirects to https are left to Django's own: they read the Host header, which may be a bad one."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response = super().process_response(request, response)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response


class PrivateMiddleware:
    """Pages of a signed-in user are stored nowhere: after logging out, Back must not show them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if _is_private(request, response):
            patch_cache_control(response, private=True, no_store=True)
        return response


def _is_private(request: HttpRequest, response: HttpResponseBase) -> bool:
    # A page that did not look at the session holds nothing of a user. Reading it now could wait for a database that
    # is away; the error pages are not to be stored anyhow.
    return response.status_code < 500 and request.session.accessed and SESSION_KEY in request.session
