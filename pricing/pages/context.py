"""Template context of every page."""

from functools import cache

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from collections_app.connections.lookup import connection_in_trouble
from collections_app.models import DiscogsConnection
from pricing.pages.queries import Live, live_for


def site(request: HttpRequest) -> dict[str, object]:
    """Callables query the database only if a template calls them, once for each page."""

    @cache
    def trouble() -> DiscogsConnection | None:
        user = getattr(request, "user", None)
        return connection_in_trouble(user.pk) if user and user.is_authenticated else None

    @cache
    def live() -> Live | None:
        user = getattr(request, "user", None)
        if not user or not user.is_authenticated:
            return None
        troubled = trouble()
        state = troubled.state if troubled else DiscogsConnection.State.ACTIVE
        return live_for(user.pk, connection_state=state, now=timezone.now())

    is_tried_out = settings.DEBUG or settings.SANDBOX
    in_terminal = is_tried_out and settings.EMAIL_BACKEND.endswith(".console.EmailBackend")
    return {
        "discogs_web_url": settings.DISCOGS_WEB_URL,
        "live": live,
        "connection_in_trouble": trouble,
        "mail_goes_to_terminal": in_terminal,
        "sandbox_tokens": settings.SANDBOX_TOKENS,
    }
