"""Whose page it is."""

from typing import cast

from django.http import HttpRequest


def owner_of(request: HttpRequest) -> int:
    """The id of the user; LoginMiddleware lets nobody else come this far."""
    return cast(int, request.user.pk)
