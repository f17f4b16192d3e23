"""Limits on the size and charset of request bodies, enforced before anything reads the body.

A view that accepts files sets its own limit; its upload handler gets the chunks of a file as they arrive, so that
neither memory nor a temporary file holds the whole file:

    @require_POST
    @accept_body(50_000_000, upload_handler=PurchaseReader)
    def import_purchases(request): ...
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponseBase
from django.urls import Resolver404, resolve
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from collections_app.web.error_pages import error_page
from collections_app.web.requests import UNREADABLE

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
GetResponse = Callable[[HttpRequest], HttpResponseBase]

MAX_LENGTH_DIGITS = 15  # more than any body needs; Python refuses to parse thousands of digits


class BodyMiddleware:
    """Answers 413 to a body above the limit and 400 to an unreadable one, on every path."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        length = _length(request)
        if length is None or not _is_readable(request):
            return error_page(400)
        if length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE and length > _limit_of_view(request):
            return error_page(413)
        return self.get_response(request)


def accept_body(
    max_bytes: int, *, upload_handler: Callable[[HttpRequest], FileUploadHandler]
) -> Callable[[View[P]], View[P]]:
    """Let signed-in users send up to `max_bytes` to this view.

    `upload_handler` is called with the request and gets the file in chunks; what it returns from `file_complete` is in
    request.FILES. It must not store anything permanently: the CSRF token is checked after it has read the body. The
    other fields together stay within the limit of all pages.
    """

    def decorate(view: View[P]) -> View[P]:
        checked = csrf_protect(view)

        @wraps(view)
        def prepared(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                raise PermissionDenied
            request.upload_handlers = [upload_handler(request)]
            return checked(request, *args, **kwargs)

        prepared.max_body_bytes = max_bytes  # type: ignore[attr-defined]
        # The middleware's check would read the body before the upload handler is set.
        return csrf_exempt(prepared)

    return decorate


def _length(request: HttpRequest) -> int | None:
    text = request.META.get("CONTENT_LENGTH") or "0"
    if not (text.isascii() and text.isdigit()):
        return None
    return int(text[:MAX_LENGTH_DIGITS]) if len(text) <= MAX_LENGTH_DIGITS else 10**MAX_LENGTH_DIGITS


def _is_readable(request: HttpRequest) -> bool:
    """Whether the body is UTF-8, like the site's forms; browsers name no charset at all."""
    if request.content_type == UNREADABLE:
        return False
    # Django refuses other spellings, such as utf8, later, when it reads a form.
    return (request.content_params or {}).get("charset", "utf-8").lower() == "utf-8"


def _limit_of_view(request: HttpRequest) -> int:
    try:
        view = resolve(request.path_info).func
    except Resolver404:
        return 0
    return int(getattr(view, "max_body_bytes", 0))
