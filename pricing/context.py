"""What every page knows."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    return {"discogs_web_url": settings.DISCOGS_WEB_URL}
