"""Refuse malformed URLs and cookies before anything else reads them."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase

NUL = "\x00"
MAX_QUERY = 8_000  # characters after the question mark; our longest have a few hundred


class AddressMiddleware:
    """Answers 400 if the query is too long, or the URL or a cookie contains a NUL.

    No browser sends a NUL, and PostgreSQL refuses it in a text.
    Form fields are left to the form, which reports what is wrong with them.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        query = request.META.get("QUERY_STRING", "")
        if len(query) > MAX_QUERY:
            raise BadRequest("The address is too long. Nothing was changed.")
        # A quoted cookie may encode any character as a number.
        if "%00" in query or any(NUL in text for text in (request.path, query, *request.COOKIES.values())):
            raise BadRequest("There is a NUL in the address or in a cookie. Nothing was changed.")
        return self._get_response(request)
