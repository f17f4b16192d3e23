"""The WSGI application: make the web server's requests safe to read."""

from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

UNREADABLE = "unreadable"  # replaces a Content-Type that cannot be parsed


class SiteRequest(WSGIRequest):
    """A request that can always be constructed; middleware refuses a malformed one."""

    def __init__(self, environ: dict[str, Any]) -> None:
        try:
            super().__init__(environ)
        except (LookupError, ValueError):  # a charset that Python cannot use
            super().__init__({**environ, "CONTENT_TYPE": UNREADABLE})


class SiteHandler(WSGIHandler):
    """The WSGI application. Gives a body without a length one, by reading it up to just above the limit."""

    request_class = SiteRequest

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        # The server does not say where such a body ends, so Django would read nothing of it.
        if environ.get("HTTP_TRANSFER_ENCODING") and environ.get("wsgi.input_terminated"):
            body = _read_at_most(environ["wsgi.input"], settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
            environ = {**environ, "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return super().__call__(environ, start_response)


def _read_at_most(stream: Any, limit: int) -> bytes:
    pieces, left = [], limit
    while left and (piece := stream.read(min(left, 65_536))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)
