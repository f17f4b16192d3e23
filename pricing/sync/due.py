"""When a price is fetched again, when a user's next run starts, and which release goes first. Pure."""

import math
from datetime import datetime, timedelta

from collections_app.discogs.payloads import MarketStatus

WEEK = timedelta(days=7)
# (unsold for longer than, factor by which the user's interval is multiplied); the result is a week at most.
UNSOLD = ((timedelta(days=90), 4), (timedelta(days=30), 2))
# (gone for longer than, time until the next request). Discogs seldom restores a release.
GONE = (
    (timedelta(days=90), timedelta(days=90)),
    (timedelta(days=30), timedelta(days=30)),
    (timedelta(0), WEEK),
)
GONE_ONCE = timedelta(days=1)  # one 404 is all that is known
# The share of the interval by which a release may be fetched early. A run takes a while, and owners' runs differ: a
# release that comes due soon after this run would otherwise wait for nearly two intervals.
EARLY = 0.25

# After a failed run; also after connecting, if the first run was not started then.
AGAIN_AFTER = timedelta(hours=1)

MIN_WORTH = 100  # minor units: a release without a price, or with a low one, is still fetched
MIN_VOLATILITY = 0.01  # so is a release whose price has never changed
RESERVED_SHARE = 0.1  # of all requests, for imports, retries and interactive requests


def interval_for(
    status: str, *, every: timedelta, status_since: datetime, observed_at: datetime
) -> timedelta:
    """How long a reading is good enough for a user whose sync interval is `every`.

    The time a release has been unsold or gone is counted up to the reading, since what happened later is unknown.
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
    """Whether a scheduled run at `now` fetches the release again."""
    good_for = interval_for(status, every=every, status_since=status_since, observed_at=observed_at)
    return observed_at + good_for - every * EARLY <= now


def priority(age_seconds: float, owners: int, amount_minor: int | None, volatility: float) -> float:
    """How urgent a due release is: grows with age, owners, value and volatility. Never fetched means infinite age.

    The weight enters by its square root: requests in that proportion minimise the sum of weight × age. With the full
    weight, a record worth 500 would be fetched five hundred times as often as one worth 1.
    """
    weight = max(owners, 1) * max(amount_minor or 0, MIN_WORTH) * max(volatility, MIN_VOLATILITY)
    return age_seconds * math.sqrt(weight)


def share_that_fits(*, wanted_per_hour: float, allowed_per_hour: float) -> float:
    """The share of the due releases, 0 to 1, that the request limit allows before they are due again."""
    usable = allowed_per_hour * (1 - RESERVED_SHARE)
    return 1.0 if wanted_per_hour <= usable else usable / wanted_per_hour


def run_due_at(
    *,
    every: timedelta,
    connected_at: datetime,
    last_started_at: datetime | None,
    last_failed_at: datetime | None,
) -> datetime:
    """When a user's next scheduled run starts.

    last_started_at: start of the last run that finished or was cancelled. last_failed_at: end of the last failed run.
    """
    due_at = last_started_at + every if last_started_at else connected_at + AGAIN_AFTER
    return max(due_at, last_failed_at + AGAIN_AFTER) if last_failed_at else due_at
