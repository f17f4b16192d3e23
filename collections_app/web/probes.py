"""Answer health probes, whatever Host they send and without a redirect to https: they come from the machine itself."""

from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.db import connection as database
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

PATH = "/healthz"


class ProbesMiddleware:
    """Stands before everything that reads the Host header; below UnavailableMiddleware, which answers 503."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return healthz(request) if request.path_info == PATH else self.get_response(request)


@require_safe
@login_not_required
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Return 200 if the database answers; otherwise an error page results."""
    with database.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")
