"""Template context of every page."""

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from collections_app.connections.lookup import connection_in_trouble
from collections_app.models import DiscogsConnection
from pricing.pages.queries import Progress, progress_now


def site(request: HttpRequest) -> dict[str, object]:
    """Callables query the database only if a template calls them."""

    def trouble() -> DiscogsConnection | None:
        user = getattr(request, "user", None)
        return connection_in_trouble(user.pk) if user and user.is_authenticated else None

    def live_progress() -> Progress | None:
        user = getattr(request, "user", None)
        return progress_now(user.pk, now=timezone.now()) if user and user.is_authenticated else None

    in_terminal = settings.DEBUG and settings.EMAIL_BACKEND.endswith(".console.EmailBackend")
    return {
        "discogs_web_url": settings.DISCOGS_WEB_URL,
        "live_progress": live_progress,
        "connection_in_trouble": trouble,
        "mail_goes_to_terminal": in_terminal,
    }
