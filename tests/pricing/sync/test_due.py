from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.sync.due import interval_for, is_due, run_due_at

NOW = datetime(2028, 2, 29, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
INTERVALS = st.sampled_from([6 * HOUR, 12 * HOUR, DAY, 7 * DAY])
STATUSES = st.sampled_from(["priced", "none_for_sale", "blocked", "gone"])


@pytest.mark.parametrize(
    ("status", "every", "lasted_days", "interval"),
    [
        ("priced", 6 * HOUR, 0, 6 * HOUR),
        ("priced", DAY, 400, DAY),
        ("none_for_sale", DAY, 0, DAY),
        ("none_for_sale", DAY, 30, DAY),
        ("none_for_sale", DAY, 31, 2 * DAY),
        ("none_for_sale", DAY, 91, 4 * DAY),
        ("none_for_sale", 6 * HOUR, 31, 12 * HOUR),
        ("none_for_sale", 7 * DAY, 91, 7 * DAY),
        ("blocked", 6 * HOUR, 0, 7 * DAY),
        ("blocked", 7 * DAY, 400, 7 * DAY),
        ("gone", 6 * HOUR, 0, DAY),
        ("gone", 7 * DAY, 0, 7 * DAY),
        ("gone", 6 * HOUR, 1, 7 * DAY),
        ("gone", DAY, 31, 30 * DAY),
        ("gone", DAY, 91, 90 * DAY),
    ],
)
def test_reading_lifetime_follows_its_state(status, every, lasted_days, interval):
    since = NOW - lasted_days * DAY
    assert interval_for(status, every=every, status_since=since, observed_at=NOW) == interval


@given(status=STATUSES, every=INTERVALS, lasted=st.integers(0, 4000), longer=st.integers(0, 4000))
def test_interval_never_shrinks_within_a_state(status, every, lasted, longer):
    short = interval_for(status, every=every, status_since=NOW - lasted * DAY, observed_at=NOW)
    long = interval_for(status, every=every, status_since=NOW - (lasted + longer) * DAY, observed_at=NOW)
    assert every <= short <= long <= 90 * DAY


@pytest.mark.parametrize(
    ("every", "age", "due"),
    [
        (DAY, 17 * HOUR, False),
        (DAY, 22 * HOUR, True),  # fetched two hours after its run began
        (DAY, 24 * HOUR, True),
        (6 * HOUR, 4 * HOUR, False),
        (6 * HOUR, 5 * HOUR, True),
        (DAY, -HOUR, False),  # a clock was wrong
    ],
)
def test_late_reading_is_due_in_the_next_run(every, age, due):
    observed_at = NOW - age
    assert is_due("priced", every=every, status_since=observed_at, observed_at=observed_at, now=NOW) is due


@pytest.mark.parametrize(
    ("started_ago", "failed_ago", "due_in"),
    [
        (None, None, HOUR),  # just connected: whoever did that starts the first one
        (0 * DAY, None, DAY),
        (DAY, None, 0 * DAY),
        (30 * DAY, None, -29 * DAY),
        (None, 0 * DAY, HOUR),
        (2 * DAY, 0 * DAY, HOUR),
        (2 * DAY, 2 * HOUR, -HOUR),
        (0 * DAY, 2 * HOUR, DAY),
    ],
)
def test_start_of_the_next_run(started_ago, failed_ago, due_in):
    due_at = run_due_at(
        every=DAY,
        connected_at=NOW,
        last_started_at=None if started_ago is None else NOW - started_ago,
        last_failed_at=None if failed_ago is None else NOW - failed_ago,
    )
    assert due_at == NOW + due_in
