"""Pages for failed requests. They read no database and at most one header: the rest may be what failed."""

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.middleware import csrf
from django.template.loader import render_to_string

RETRY_AFTER = 10  # seconds
MAX_ORIGIN = 200  # characters that are shown
_ORIGIN_CHECKS = "Origin checking failed", "Referer checking failed"  # how Django's reasons begin


def error_page(status: int, template: str = "", **context: object) -> HttpResponse:
    context["discogs_web_url"] = settings.DISCOGS_WEB_URL
    text = render_to_string(template or f"{status}.html", context)
    response = HttpResponse(text, status=status, headers={"Cache-Control": "no-store"})
    if status == 503:
        response["Retry-After"] = str(RETRY_AFTER)
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(413 if isinstance(exception, RequestDataTooBig) else 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(404)


def server_error(request: HttpRequest) -> HttpResponse:
    return error_page(500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say what Django's log line says: which of its checks the form did not pass."""
    if reason == csrf.REASON_NO_CSRF_COOKIE:
        return error_page(403, "403_csrf.html", cause="cookie")
    if reason.startswith(_ORIGIN_CHECKS):
        origin = request.META.get("HTTP_ORIGIN", "")[:MAX_ORIGIN]
        return error_page(403, "403_csrf.html", cause="origin", origin=origin)
    return error_page(403, "403_csrf.html", cause="token")
