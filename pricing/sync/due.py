"""When a reading, and a user's collection, is to be asked for again, and what goes first. Pure."""

import math
from datetime import datetime, timedelta

from collections_app.discogs.payloads import MarketStatus

WEEK = timedelta(days=7)
# Unsold for longer than this: the user's interval is taken so many times, though a week is the most.
UNSOLD = ((timedelta(days=90), 4), (timedelta(days=30), 2))
# Gone for longer than this: asked again after so long. Discogs seldom brings a release back.
GONE = (
    (timedelta(days=90), timedelta(days=90)),
    (timedelta(days=30), timedelta(days=30)),
    (timedelta(0), WEEK),
)
GONE_ONCE = timedelta(days=1)  # one 404 is all that is known
# A run takes a while, and owners' runs differ: what would come due in the first part of the time until the next
# run is asked for now, otherwise it would wait for nearly two intervals.
EARLY = 0.25

# After a failed run, and for the first one when nobody started it upon connecting.
AGAIN_AFTER = timedelta(hours=1)

MIN_WORTH = 100  # minor units: without a price, or a low one, a release still has its turn
MIN_VOLATILITY = 0.01  # as has one whose price has never moved
KEPT_BACK = 0.1  # of all requests, for imports, retries and people who click


def interval_for(
    status: str, *, every: timedelta, status_since: datetime, observed_at: datetime
) -> timedelta:
    """How long a reading is good in the collection of someone who wants new ones `every` so often.

    How long a release has been unsold or gone is counted up to the reading, since nothing is known of the time after.
    """
    lasted = observed_at - status_since
    if status == MarketStatus.BLOCKED:
        return max(WEEK, every)
    if status == MarketStatus.GONE:
        return max(every, next((again for limit, again in GONE if lasted > limit), GONE_ONCE))
    if status == MarketStatus.NONE_FOR_SALE:
        times = next((times for limit, times in UNSOLD if lasted > limit), 1)
        return max(every, min(every * times, WEEK))
    return every


def is_due(
    status: str, *, every: timedelta, status_since: datetime, observed_at: datetime, now: datetime
) -> bool:
    """Whether a scheduled run at `now` asks for the release again."""
    good_for = interval_for(status, every=every, status_since=status_since, observed_at=observed_at)
    return observed_at + good_for - every * EARLY <= now


def priority(age_seconds: float, owners: int, amount_minor: int | None, volatility: float) -> float:
    """How urgent a due release is: grows with its age, owners, value and volatility. Never fetched: infinite age.

    The weights count by their square root: shares of requests in that proportion keep the sum of weight × age
    lowest. Counted in full, a record of 500 would be read five hundred times as often as one of 1.
    """
    weight = max(owners, 1) * max(amount_minor or 0, MIN_WORTH) * max(volatility, MIN_VOLATILITY)
    return age_seconds * math.sqrt(weight)


def share_that_fits(*, wanted_per_hour: float, allowed_per_hour: float) -> float:
    """The share of the due releases, 0 to 1, for which there are requests until they are due again."""
    usable = allowed_per_hour * (1 - KEPT_BACK)
    return 1.0 if wanted_per_hour <= usable else usable / wanted_per_hour


def run_due_at(
    *,
    every: timedelta,
    connected_at: datetime,
    last_started_at: datetime | None,
    last_failed_at: datetime | None,
) -> datetime:
    """When the next scheduled run of a user begins.

    last_started_at: of the last run that ended well or was cancelled. last_failed_at: the end of the last that failed.
    """
    due_at = last_started_at + every if last_started_at else connected_at + AGAIN_AFTER
    return max(due_at, last_failed_at + AGAIN_AFTER) if last_failed_at else due_at
