"""Compression of pages, only for requests that no other site can have caused.

The size of a compressed page depends on its contents (BREACH): if another site can open the page with text of its own
in the address, and its owner can see how much is sent, text that occurs in the page makes it shorter. See
docs/security.md.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_vary_headers

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

# Values of Sec-Fetch-Site: a link or script of this site; an address that the user typed or a bookmark.
OWN = ("same-origin", "none")


def compressed(view: View[P]) -> View[P]:
    """Compress the pages of this view. Not for pages that contain passwords, codes or tokens, and not for streams."""
    gzip = GZipMiddleware(cast(Callable[[HttpRequest], HttpResponse], view))

    @wraps(view)
    def compressing(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        patch_vary_headers(response, ("Accept-Encoding", "Sec-Fetch-Site"))
        if not _is_own(request):
            return response
        # Django adds up to 100 random bytes to the header, so equal pages differ in length.
        return cast(HttpResponse, gzip.process_response(request, response))

    return compressing


def _is_own(request: HttpRequest) -> bool:
    """Whether this site or the user caused the request.

    Browsers send the header over https only; over plain http everybody on the way can read the page itself.
    """
    site = request.headers.get("Sec-Fetch-Site")
    return site in OWN if site else not request.is_secure()
