"""What every request has to pass before anything else looks at it."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase

NUL = "\x00"
MAX_QUERY = 8_000  # characters after the question mark; the longest of ours have some hundred


class AddressMiddleware:
    """Answers 400 when an address is too long, or an address or a cookie holds a NUL.

    No browser sends a NUL, and PostgreSQL takes none in a text.
    Fields of a form are left to the form, which says what is wrong with them.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        query = request.META.get("QUERY_STRING", "")
        if len(query) > MAX_QUERY:
            raise BadRequest("The address is too long. Nothing was changed.")
        # A cookie in quotes may name any character by its number.
        if "%00" in query or any(NUL in text for text in (request.path, query, *request.COOKIES.values())):
            raise BadRequest("There is a NUL in the address or in a cookie. Nothing was changed.")
        return self._get_response(request)
