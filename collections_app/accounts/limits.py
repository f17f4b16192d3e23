"""Rate limits on expensive views, for each user, counted in the cache like those on signing in.

    @limited("export", "6/h", reading=True)
    def export(request): ...

Requests above the limit get 429, and the page says when to try again.
"""

import time
from collections.abc import Callable
from functools import wraps
from math import ceil
from typing import Concatenate, ParamSpec, TypeVar

from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from collections_app.web.unavailable import Unavailable

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)
View = Callable[Concatenate[HttpRequest, P], R]

APP = "crateworth"  # separates these from allauth's own counters


def limited(
    action: str, rate: str, *, reading: bool = False
) -> Callable[[View[P, R]], View[P, R | HttpResponse]]:
    """Limit a view for each user: `10/5m` is ten times in five minutes, `30/h` thirty times in an hour.

    Views that share an action share its count. GET and HEAD count only if `reading` is set: for a view whose GET is
    expensive, such as an export.
    """
    rates = {action: f"{rate}/user"}

    def decorate(view: View[P, R]) -> View[P, R | HttpResponse]:
        @wraps(view)
        def counted(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> R | HttpResponse:
            counts = reading or request.method not in {"GET", "HEAD"}
            if counts and not ratelimit.consume(
                request, app=APP, action=action, config=rates, limit_get=True
            ):
                return _refuse(request, action, rates[action])
            return view(request, *args, **kwargs)

        return counted

    return decorate


def _refuse(request: HttpRequest, action: str, rate: str) -> HttpResponse:
    wait = _seconds_left(request, action, rate)
    # In whole minutes, rounded up, so that a retry after this time is not refused again.
    shown = wait if wait < 60 else 60 * ceil(wait / 60)
    response = render(request, "429.html", {"wait_seconds": shown, "is_limit": True}, status=429)
    response["Retry-After"] = str(wait)
    return response


def _seconds_left(request: HttpRequest, action: str, rate: str) -> int:
    """Seconds until the oldest counted request expires.

    Raises Unavailable if the limit is not reached: another request, or one that died, held the lock of the counter.
    """
    (only,) = ratelimit.parse_rates(rate)
    key = ratelimit.get_cache_key(request, app=APP, action=action, rate=only)
    counted: list[float] = cache.get(key, [])
    if len(counted) < only.amount:
        raise Unavailable
    return max(1, ceil(counted[-1] + only.duration - time.time()))
