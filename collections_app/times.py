"""Bounds for stored times from a wrong clock: a time further ahead than its own rule allows counts as past.

A machine's clock may have been wrong when a time was written, and right now. Without these bounds a lease, a wait or a
fresh price would then last for as much longer as the clock was ahead.
"""

import time
from datetime import datetime, timedelta

from django.db.models import Q

# Clocks of hosts that work together may differ by this much.
MAX_SKEW = timedelta(minutes=1)


def is_over(name: str, *, now: datetime, longest: timedelta) -> Q:
    """Rows whose time in the field `name` has passed, is missing, or is further ahead than `longest`."""
    past = Q(**{f"{name}__isnull": True}) | Q(**{f"{name}__lte": now})
    return past | Q(**{f"{name}__gt": now + longest + MAX_SKEW})


def is_recent(name: str, *, now: datetime, within: timedelta) -> Q:
    """Rows whose time in the field `name` is at most `within` old and not in the future."""
    return Q(**{f"{name}__gt": now - within, f"{name}__lte": now + MAX_SKEW})


def is_from_the_future(moment: datetime, *, now: datetime) -> bool:
    return moment > now + MAX_SKEW


class StepWatch:
    """Detects, from one call to the next, that this machine's clock was set, by comparison with the steady clock."""

    def __init__(self) -> None:
        self._ahead = time.time() - time.monotonic()

    def seconds_set(self) -> float:
        """The seconds by which the clock was set since the last call; 0.0 if less than a second."""
        ahead = time.time() - time.monotonic()
        step, self._ahead = ahead - self._ahead, ahead
        return step if abs(step) >= 1 else 0.0
