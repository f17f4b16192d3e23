"""Pages for failed requests. They read neither the request nor the database: either may be what failed."""

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

RETRY_AFTER = 10  # seconds


def error_page(status: int, template: str = "") -> HttpResponse:
    context = {"discogs_web_url": settings.DISCOGS_WEB_URL}
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
    return error_page(403, "403_csrf.html")
