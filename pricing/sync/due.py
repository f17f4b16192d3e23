"""When a price may be fetched again, and when a user's next run starts. Pure."""

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
DOUBTED = timedelta(days=1)  # only a reading of another day can confirm it
# The share of the interval by which a release may be fetched early. A run takes a while, and owners' runs differ: a
# release that comes due soon after this run would otherwise wait for nearly two intervals.
EARLY = 0.25

# After a failed run; also after connecting, if the first run was not started then.
AGAIN_AFTER = timedelta(hours=1)


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
    status: str,
    *,
    every: timedelta,
    status_since: datetime,
    observed_at: datetime,
    now: datetime,
    is_doubted: bool = False,
) -> bool:
    """Whether a scheduled run at `now` fetches the release again."""
    if is_doubted and observed_at + DOUBTED <= now:
        return True
    good_for = interval_for(status, every=every, status_since=status_since, observed_at=observed_at)
    return observed_at + good_for - every * EARLY <= now


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
