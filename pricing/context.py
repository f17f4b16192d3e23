"""What every page knows."""

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from pricing.queries import Progress, progress_now


def site(request: HttpRequest) -> dict[str, object]:
    """`live_progress` asks the database only where a template calls it."""

    def live_progress() -> Progress | None:
        user = getattr(request, "user", None)
        return progress_now(user.pk, now=timezone.now()) if user and user.is_authenticated else None

    return {"discogs_web_url": settings.DISCOGS_WEB_URL, "live_progress": live_progress}
