"""Rate limits on expensive views, for each user, counted in the cache like those on signing in.

    @limited("export", "6/h", reading=True)
    def export(request): ...

Requests above the limit get 429, and the page says when to try again.

A limit of six has six slots. A request takes a free one, which becomes free again by itself when the duration is over,
so no lock can be left behind. `cache.add` gives a slot to one request only, whichever processes ask; `incr` could not,
since the cache in the database reads and writes in two steps.
"""

import time
from collections.abc import Callable
from functools import wraps
from math import ceil
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from collections_app.accounts.users import owner_of

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)
View = Callable[Concatenate[HttpRequest, P], R]

_SECONDS = {"s": 1, "m": 60, "h": 3600}


class Rate(NamedTuple):
    """So many requests in so many seconds."""

    amount: int
    seconds: int


def parse_rate(text: str) -> Rate:
    """`10/5m` is ten times in five minutes, `30/h` thirty times in an hour."""
    amount, _, duration = text.partition("/")
    return Rate(int(amount), int(duration[:-1] or 1) * _SECONDS[duration[-1]])


def limited(
    action: str, rate: str, *, reading: bool = False
) -> Callable[[View[P, R]], View[P, R | HttpResponse]]:
    """Limit a view for each user, at a rate such as `10/5m`.

    Views that share an action share its count. GET and HEAD count only if `reading` is set: for a view whose GET is
    expensive, such as an export.
    """
    parsed = parse_rate(rate)

    def decorate(view: View[P, R]) -> View[P, R | HttpResponse]:
        @wraps(view)
        def counted(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> R | HttpResponse:
            counts = reading or request.method not in {"GET", "HEAD"}
            wait = _seconds_to_wait(f"limit:{action}:{owner_of(request)}", parsed) if counts else 0
            return _refuse(request, wait) if wait else view(request, *args, **kwargs)

        return counted

    return decorate


def _refuse(request: HttpRequest, wait: int) -> HttpResponse:
    # In whole minutes, rounded up, so that a retry after this time is not refused again.
    shown = wait if wait < 60 else 60 * ceil(wait / 60)
    response = render(request, "429.html", {"wait_seconds": shown, "is_limit": True}, status=429)
    response["Retry-After"] = str(wait)
    return response


def _seconds_to_wait(counter: str, rate: Rate) -> int:
    """Take a slot and return 0, or return the seconds until the next one is free. More queries when processes race.

    Raises OperationalError, which becomes a 503, if the cache cannot be read or written.
    """
    slots = [f"{counter}:{number}" for number in range(rate.amount)]
    taken = cache.get_many(slots)  # deletes expired slots, which `add` could give to two requests at once
    now = time.time()
    free = (slot for slot in slots if slot not in taken)
    if any(cache.add(slot, now + rate.seconds, rate.seconds) for slot in free):
        return 0
    return max(1, ceil(min(cache.get_many(slots).values(), default=now) - now))
