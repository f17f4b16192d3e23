"""Download everything about the user as one JSON file."""

import logging
from collections.abc import Generator, Iterator
from datetime import timedelta

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from collections_app.accounts.limits import limited
from collections_app.accounts.users import owner_of
from pricing.export import document, file_name

logger = logging.getLogger(__name__)

# A process killed during a download cannot release its slot, so the slot expires.
MAX_DOWNLOAD_SECONDS = 15 * 60  # seconds


@require_safe
@never_cache
@limited("export", "6/h", reading=True)
def export(request: HttpRequest) -> StreamingHttpResponse | HttpResponse:
    """Send everything about the user while reading it. One download at a time: a slow one occupies a thread."""
    now, user_id = timezone.now(), owner_of(request)
    slot = f"export:{user_id}"
    if not cache.add(slot, True, MAX_DOWNLOAD_SECONDS):
        return render(request, "pages/export_running.html", status=409)
    pieces = Download(document(user_id, now=now), slot)
    response = StreamingHttpResponse(pieces, content_type="application/json")
    name = file_name(request.user.get_username(), now=now)
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response


class Download:
    """The pieces of a document; releases its slot when it was sent or aborted, started or not."""

    def __init__(self, pieces: Generator[str], slot: str) -> None:
        self._pieces = pieces
        self._slot = slot
        self._give_up_at = timezone.now() + timedelta(seconds=MAX_DOWNLOAD_SECONDS)

    def __iter__(self) -> Iterator[str]:
        """Raises ConnectionAbortedError, which closes the connection, once another download may take its slot."""
        for piece in self._pieces:
            if timezone.now() > self._give_up_at:
                logger.warning("%s was aborted after %s seconds", self._slot, MAX_DOWNLOAD_SECONDS)
                raise ConnectionAbortedError("the download took too long")
            yield piece

    def close(self) -> None:
        """The server always calls this."""
        self._pieces.close()
        cache.delete(self._slot)
