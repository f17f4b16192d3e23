"""The index of a filtered list equals a plain computation over the histories of its copies."""

import math
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collections_app.models import CollectionInstance
from pricing.daily import baselines
from pricing.daily.like_for_like import filter_index, link_days
from pricing.models import PriceSnapshot
from tests import factories as make

pytestmark = pytest.mark.django_db
TODAY = date(2026, 9, 14)
NOW = datetime(2026, 9, 14, 18, tzinfo=UTC)
DAY = timedelta(days=1)
some = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
STARTS = sorted(baselines.days_of(TODAY).values())
edges = st.sampled_from([0, 1, 7, 30, 91, 182, 256, 257, 365])
ages = st.integers(0, 400) | edges
amounts = st.none() | st.integers(1, 9_999) | st.integers(-99, -1)  # negative: doubted; None: none for sale
histories = st.dictionaries(ages, amounts, max_size=14)
# How many days ago it was added, and for how many days it was held; None: until now.
spans = st.tuples(st.integers(0, 500) | edges, st.none() | st.integers(0, 300))
copies = st.lists(st.tuples(histories, st.lists(spans, min_size=1, max_size=2)), max_size=6)


def noon(age):
    return datetime(2026, 9, 14, 12, tzinfo=UTC) - age * DAY


def make_copies(owner, made):
    """Releases with these histories, whose newest reading is the latest price, and their copies."""
    releases = []
    for history, held in made:
        release = make.make_release()
        releases.append(release.pk)
        for age, amount in history.items():
            make.make_snapshot(
                release, amount and abs(amount), day=TODAY - age * DAY, doubt=int(bool(amount and amount < 0))
            )
        if history:
            newest = min(history)
            amount = history[newest]
            doubt = int(bool(amount and amount < 0))
            make.make_price(release, amount and abs(amount), observed_at=noon(newest), doubt=doubt)
        for added, kept in held:
            removed = None if kept is None or kept > added else noon(added - kept)
            make.make_copy(owner, release, added_at=noon(added), removed_at=removed)
    return releases


def price_on(history, age):
    readings = [(at, amount) for at, amount in history.items() if age <= at < age + 30]
    amount = min(readings, key=lambda reading: reading[0])[1] if readings else None
    return amount if amount and amount > 0 else None


def is_held(span, age):
    added, kept = span
    return added >= age and (kept is None or kept > added or added - kept < age)


def plain_index(made, start):
    """The level and the copies of the smallest link, computed copy by copy; None if a link is empty."""
    level, fewest = 100.0, math.inf
    for first, last in pairwise([(TODAY - day).days for day in (*[d for d in STARTS if d >= start], TODAY)]):
        pairs = [
            (price_on(history, first), price_on(history, last))
            for history, held in made
            for span in held
            if is_held(span, first) and is_held(span, last)
        ]
        both = [pair for pair in pairs if None not in pair]
        if not both:
            return None
        level *= sum(after for _, after in both) / sum(before for before, _ in both)
        fewest = min(fewest, len(both))
    return level, fewest


def all_of(owner):
    return CollectionInstance.objects.of(owner.user_id)


@some
@given(made=copies, start=st.sampled_from(STARTS), behind=st.booleans())
def test_filter_index_equals_plain_computation(made, start, behind):
    with transaction.atomic():
        owner = make.make_connection()
        releases = make_copies(owner, made)
        baselines.renew(releases, today=TODAY - DAY if behind else TODAY)
        found = filter_index(all_of(owner), start, now=NOW)
        expected = plain_index(made, start)
        assert (found is None) == (expected is None)
        if found and expected:
            assert found.level == pytest.approx(expected[0])
            assert found.copies == expected[1]
        transaction.set_rollback(True)


RISING = {age: 2_000 - age for age in range(0, 400, 5)}
MADE = [(RISING, [(500, None)]), (dict.fromkeys(range(0, 400, 5), 1000), [(500, None)])]


@pytest.fixture
def owner():
    found = make.make_connection()
    baselines.renew(make_copies(found, MADE), today=TODAY)
    return found


def test_links_are_the_days_of_the_ranges_since_the_start():
    assert link_days(TODAY - 30 * DAY, today=TODAY) == [TODAY - 30 * DAY, TODAY - 7 * DAY, TODAY]
    assert link_days(date(2026, 1, 1), today=date(2026, 1, 8)) == [date(2026, 1, 1), date(2026, 1, 8)]
    assert link_days(TODAY - 31 * DAY, today=TODAY) == []
    assert link_days(TODAY, today=TODAY) == []
    assert link_days(date(2026, 1, 1), today=date(2026, 1, 1)) == []


def test_percent_is_the_change_since_the_start(owner):
    found = filter_index(all_of(owner).held(), TODAY - 7 * DAY, now=NOW)
    assert found.percent == pytest.approx(100 * (3_000 / 2_990 - 1))
    assert found.copies == 2


def test_copies_are_filtered_as_the_caller_wishes(owner):
    steady = all_of(owner).filter(release__snapshots__amount_minor=1_000).distinct()
    assert filter_index(steady, TODAY - 365 * DAY, now=NOW).percent == 0
    assert filter_index(steady.none(), TODAY - 365 * DAY, now=NOW) is None


def test_buying_and_selling_move_nothing(owner):
    release = make.make_release()
    make.make_price(release, 90_000, observed_at=NOW)
    before = filter_index(all_of(owner), TODAY - 30 * DAY, now=NOW)
    make.make_copy(owner, release, added_at=NOW - DAY)
    make.make_copy(owner, release, added_at=NOW - 300 * DAY, removed_at=NOW - 200 * DAY)
    assert filter_index(all_of(owner), TODAY - 30 * DAY, now=NOW) == before


def test_copy_that_its_owner_never_counts_is_left_out(owner):
    all_of(owner).filter(release=all_of(owner).first().release).update(price_decision="never")
    assert filter_index(all_of(owner), TODAY - 7 * DAY, now=NOW).copies == 1


def test_current_baselines_answer_in_one_query_without_history(owner):
    expected = filter_index(all_of(owner), TODAY - 365 * DAY, now=NOW)
    PriceSnapshot.objects.all().delete()
    with CaptureQueriesContext(connection) as captured:
        assert filter_index(all_of(owner), TODAY - 365 * DAY, now=NOW) == expected
    assert len(captured) == 1


def test_start_that_no_range_has_is_unknown(owner):
    with CaptureQueriesContext(connection) as captured:
        assert filter_index(all_of(owner), TODAY - 40 * DAY, now=NOW) is None
    assert len(captured) == 0
