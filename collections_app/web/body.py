"""How much a request may bring, and in which charset: decided before anything reads its body.

A view that takes files sets a limit of its own; the pieces of a file go to its upload handler as they arrive, so that
neither memory nor a temporary file holds the whole of it:

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

MAX_LENGTH_DIGITS = 15  # more than any body has; Python refuses to read thousands of digits


class BodyMiddleware:
    """Answers 413 to a body above the limit and 400 to one that cannot be read, on every path."""

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
    """Let signed-in users send this view up to `max_bytes`.

    `upload_handler` is called with the request and gets the file piece by piece; what it returns from
    `file_complete` is in request.FILES. It must not store anything for good: the form's token is checked after it
    has read the body. Fields that are not files together keep to the limit of all pages.
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
    """The site's forms are UTF-8, and browsers name no charset at all."""
    if request.content_type == UNREADABLE:
        return False
    # Other spellings, such as utf8, are refused by Django later, where a form is read.
    return (request.content_params or {}).get("charset", "utf-8").lower() == "utf-8"


def _limit_of_view(request: HttpRequest) -> int:
    try:
        view = resolve(request.path_info).func
    except Resolver404:
        return 0
    return int(getattr(view, "max_body_bytes", 0))
