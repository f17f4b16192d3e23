"""Apply the user's display preferences to every page."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import cast

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from pricing.money import display
from pricing.pages.queries.display import display_for


class DisplayMiddleware:
    """Activate the user's display for a request; the database is queried when something is first formatted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        source = cache(partial(_display_of, request))
        with display.active(source):
            response: HttpResponseBase = self._get_response(request)
        if isinstance(response, StreamingHttpResponse) and not response.is_async:
            pieces = cast(Iterator[bytes], response.streaming_content)
            response.streaming_content = _piece_by_piece(pieces, source)
        return response


def _display_of(request: HttpRequest) -> display.Display:
    """The administration shows stored values, and times in UTC like the logs."""
    resolved = request.resolver_match
    if not request.user.is_authenticated or (resolved and resolved.app_name == "admin"):
        return display.Display()
    return display_for(request.user.pk, now=timezone.now())


def _piece_by_piece(pieces: Iterator[bytes], source: display.Source) -> Iterator[bytes]:
    """Activate the display for each piece alone: a stream outlives its request, and other code runs between pieces."""
    while True:
        with display.active(source):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece
