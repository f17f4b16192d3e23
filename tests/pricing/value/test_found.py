from datetime import UTC, datetime, timedelta

import pytest

from pricing.models import SyncRun
from pricing.value.found import Found, Reading, found_by, found_in, store_found
from tests import factories as make

NOW = datetime(2027, 3, 28, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([], Found()),
        ([Reading(1_000, 1_200, 0.01, 1)], Found(1, 0, 200, 10_000.0)),
        ([Reading(1_000, 900, 0.04, 2)], Found(0, 1, -200, 160_000.0)),
        ([Reading(1_000, 1_000, 0.0, 1)], Found(0, 0, 0, 0.0)),
        ([Reading(500, 700, 0.5, 0)], Found()),  # sold meanwhile
        ([Reading(100, 150, 0, 1), Reading(100, 40, 0, 3)], Found(1, 1, -130, 0.0)),
    ],
)
def test_found_sums_copies_times_change(readings, expected):
    assert found_in(readings) == expected


@pytest.fixture
def connection(db):
    return make.make_connection()


@pytest.fixture
def run(connection):
    """It raised a release owned twice, lowered one, and met four that do not count."""
    run = make.make_run(connection, "finished")
    twice, once = make.make_copy(connection).release, make.make_copy(connection).release
    make.make_copy(connection, twice)
    make.make_copy(connection, once, removed_at=NOW)
    make.make_copy(make.make_connection("other"), once)
    known = {"before_minor": 1_000, "before_variance": 0.01}
    make.make_item(run, twice, "recorded", after_minor=1_100, **known)
    make.make_item(run, once, "recorded", after_minor=950, **known)
    make.make_item(run, make.make_release(), "recorded", after_minor=5_000, **known)  # held by none
    make.make_item(run, make.make_copy(connection).release, "none_for_sale", **known)
    make.make_item(run, make.make_copy(connection).release, "recorded", after_minor=700)
    make.make_item(run, make.make_copy(connection).release)
    return run


FOUND = Found(1, 1, 150, pytest.approx(50_000.0))


def test_found_counts_the_users_copies(run, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert found_by(run) == FOUND


def test_stored_find_is_found_without_queries(run, django_assert_num_queries):
    store_found(run, now=NOW)
    stored = SyncRun.objects.get(pk=run.pk)
    with django_assert_num_queries(0):
        assert found_by(stored) == FOUND
    assert stored.reached_half_minor is None


def test_active_run_is_read_from_its_jobs(run):
    store_found(run, now=NOW)
    SyncRun.objects.update(state="running", found_minor=9)  # it is tried again
    assert found_by(SyncRun.objects.get()) == FOUND


def test_storing_twice_changes_nothing(run):
    store_found(run, now=NOW)
    first = SyncRun.objects.values().get()
    store_found(run, now=NOW)
    assert SyncRun.objects.values().get() == first


def test_narrowing_run_stores_the_half_width_reached(run, connection):
    run.predicted_half_minor = 40
    run.save()
    release = make.make_copy(connection).release
    make.make_price(release, 10_000, observed_at=NOW - timedelta(days=4), prior_variance=0.01)
    store_found(run, now=NOW)
    assert SyncRun.objects.get().reached_half_minor == 2_560  # 1.28 x 10,000 x √(0.01 x 4)


def test_narrowing_run_without_prices_reaches_zero(run):
    run.predicted_half_minor = 40
    run.save()
    store_found(run, now=NOW)
    assert SyncRun.objects.get().reached_half_minor == 0
