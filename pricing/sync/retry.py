"""Decide what follows a failed attempt. Pure: the same arguments always give the same decision."""

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from collections_app.discogs.errors import Retry

BASE_SECONDS = 2.0  # of the exponential back-off
MAX_SECONDS = 300.0
NETWORK_STEP_SECONDS = 5.0


class Action(StrEnum):
    AGAIN = "again"
    GIVE_UP = "give_up"


@dataclass(frozen=True, slots=True)
class RetryDecision:
    """`seconds`: how long to wait before the next attempt. `counts`: whether this one used an attempt."""

    action: Action
    seconds: float = 0.0
    counts: bool = True


def decide(
    retry: Retry,
    attempts: int,
    *,
    max_attempts: int,
    jitter: float,
    minute: float = 1.0,
    outage: bool = False,
) -> RetryDecision:
    """Decide whether a job is tried again after its `attempts`-th attempt failed, and when.

    jitter: 0 to 1, drawn by the caller. minute: how long a minute lasts (a test may use a short one).
    outage: the failure opened the circuit breaker, so it says nothing about this job.
    """
    if retry == Retry.UNCOUNTED or outage:
        return RetryDecision(Action.AGAIN, seconds=minute * jitter, counts=False)
    if retry == Retry.NEVER or attempts >= max_attempts:
        return RetryDecision(Action.GIVE_UP)
    match retry:
        case Retry.LINEAR:
            return RetryDecision(Action.AGAIN, seconds=minute * NETWORK_STEP_SECONDS * (attempts + jitter))
        case Retry.EXPONENTIAL:
            # Full jitter: jobs that failed together are not retried together.
            ceiling = min(BASE_SECONDS * 2**attempts, MAX_SECONDS)
            return RetryDecision(Action.AGAIN, seconds=minute * ceiling * jitter)
        case _:
            assert_never(retry)
