"""What to do after a failed attempt. Pure: the same question always has the same answer."""

from dataclasses import dataclass
from enum import StrEnum

BASE_SECONDS = 2.0  # of the exponential back-off
MOST_SECONDS = 300.0
NETWORK_STEP_SECONDS = 5.0


class Action(StrEnum):
    AGAIN = "again"
    GIVE_UP = "give_up"


@dataclass(frozen=True, slots=True)
class Decision:
    """`seconds`: how long to wait before the next try. `counts`: whether this try used an attempt."""

    action: Action
    seconds: float = 0.0
    counts: bool = True


def decide(
    kind: str, attempts: int, *, most_attempts: int, jitter: float, minute: float = 1.0, outage: bool = False
) -> Decision:
    """Decide about a job that failed with an error of `kind` on its `attempts`-th try.

    jitter: 0 to 1, drawn by the caller. minute: how long a minute lasts (a test may use a short one).
    outage: the failure opened the circuit breaker, so it says nothing about this job.
    """
    if kind in {"rate_limit", "waiting"} or outage:
        return Decision(Action.AGAIN, seconds=minute * jitter, counts=False)
    if kind in {"credentials", "private", "request", "gone"} or attempts >= most_attempts:
        return Decision(Action.GIVE_UP)
    if kind == "network":
        return Decision(Action.AGAIN, seconds=minute * NETWORK_STEP_SECONDS * (attempts + jitter))
    # Full jitter: those who failed together do not come back together.
    ceiling = min(BASE_SECONDS * 2**attempts, MOST_SECONDS)
    return Decision(Action.AGAIN, seconds=minute * ceiling * jitter)
