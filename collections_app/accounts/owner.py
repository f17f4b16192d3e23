"""The owner of a page."""

from typing import cast

from django.http import HttpRequest


def owner_of(request: HttpRequest) -> int:
    """The id of the signed-in user; LoginMiddleware refuses anonymous requests before."""
    return cast(int, request.user.pk)
