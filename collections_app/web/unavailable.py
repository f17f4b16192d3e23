"""Answer 503 instead of 500 while the database does not answer, wherever a request detects it."""

import sys
from collections.abc import Callable, Iterator

from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from collections_app.web.error_pages import RETRY_AFTER, error_page

UNAVAILABLE = (OperationalError, InterfaceError)
IN_A_LIVE_PART = "The database does not answer at the moment. Nothing was changed."


class UnavailableMiddleware:
    """Replaces the answer to a request that failed because the database failed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not getattr(request, "is_database_away", False):
            return response
        if "HX-Request" in request.headers:
            # htmx leaves the fragment unchanged and polls again.
            headers = {"Retry-After": str(RETRY_AFTER), "Cache-Control": "no-store"}
            return HttpResponse(IN_A_LIVE_PART, status=503, content_type="text/plain", headers=headers)
        return error_page(503)


def database_error(error: BaseException | None) -> BaseException | None:
    """The database error that caused this error, if any."""
    return next((each for each in _chain(error) if isinstance(each, UNAVAILABLE)), None)


# Each layer of middleware turns errors into a page before the next layer sees them; the signal is sent before that.
@receiver(got_request_exception, dispatch_uid="unavailable")
def _note(sender: object, request: HttpRequest | None = None, **_: object) -> None:
    if request is not None and database_error(sys.exc_info()[1]):
        request.is_database_away = True  # type: ignore[attr-defined]


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
