"""Leaving with everything."""

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from collections_app.limits import limited
from collections_app.owner import owner_of
from pricing import archive


@require_safe
@never_cache
@limited("export", "6/h", reading=True)
def export(request: HttpRequest) -> StreamingHttpResponse:
    """Everything of the user in one file, sent while it is read."""
    now, user_id = timezone.now(), owner_of(request)
    response = StreamingHttpResponse(archive.document(user_id, now=now), content_type="application/json")
    name = archive.file_name(request.user.get_username(), now=now)
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response
