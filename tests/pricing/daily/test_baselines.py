"""Baselines are what a search of the history finds, however they came about."""

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collections_app.discogs.payloads import Market
from pricing.daily import baselines
from pricing.models import PriceBaseline, PriceJob, PriceSnapshot, ReleasePrice
from pricing.sync.recorder import record_market
from tests import factories as make

pytestmark = pytest.mark.django_db
TODAY = date(2026, 9, 14)
DAY = timedelta(days=1)
some = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# A history is the age and the amount of each reading; None: none for sale. 1 and 8 January begin ranges twice.
ages = st.integers(0, 420) | st.sampled_from([0, 6, 7, 8, 29, 30, 31, 90, 91, 182, 211, 365, 394, 395])
histories = st.dictionaries(ages, st.none() | st.integers(1, 9_999), max_size=8)
days = st.sampled_from([TODAY, date(2026, 1, 1), date(2026, 1, 8), date(2026, 12, 31), date(2027, 1, 1)])
other_ages = st.integers(0, 430)


def noon(day):
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def make_history(history, *, today):
    release = make.make_release()
    make.make_price(release, 500, observed_at=noon(today))
    for age, amount in history.items():
        make.make_snapshot(release, amount, day=today - age * DAY)
    return release.pk


def found_and_searched(release, start, *, today):
    prices = ReleasePrice.objects.filter(pk=release)
    found = prices.values_list(baselines.amount_on(start, today=today, price=""), flat=True)
    return found.get(), prices.values_list(baselines.search(start), flat=True).get()


def assert_exact(release, *, today, starts=()):
    for start in (*baselines.days_of(today).values(), *starts):
        found, searched = found_and_searched(release, start, today=today)
        assert found == searched, start


def record(release, amount, *, at):
    job = PriceJob.objects.create(
        release_id=release, state="running", lease_owner=uuid.uuid4(), created_at=at
    )
    status, currency = ("none_for_sale", "") if amount is None else ("priced", "USD")
    market = Market(release, status, currency, amount, 5, 20, 40, 3, 4.5)
    assert record_market(job, market, duration_ms=1, requests=1, now=at)


@some
@given(history=histories, today=days, other=other_ages)
def test_renewed_baselines_equal_search(history, today, other):
    with transaction.atomic():
        release = make_history(history, today=today)
        baselines.renew([release], today=today)
        assert PriceBaseline.objects.get().day == today
        assert_exact(release, today=today, starts=[today - other * DAY])
        transaction.set_rollback(True)


@some
@given(history=histories, today=days, other=other_ages)
def test_recorded_baselines_equal_search(history, today, other):
    with transaction.atomic():
        release = make.make_release().pk
        for age in sorted(history, reverse=True):
            day = today - age * DAY
            record(release, 77, at=noon(day))
            record(release, history[age], at=noon(day) + timedelta(hours=5))
            assert_exact(release, today=day, starts=[day, day - other * DAY])
        transaction.set_rollback(True)


@some
@given(history=histories, today=days, later=st.integers(1, 40))
def test_amount_on_searches_if_row_is_behind(history, today, later):
    with transaction.atomic():
        release = make_history(history, today=today)
        baselines.renew([release], today=today)
        assert_exact(release, today=today + later * DAY)
        baselines.renew_next(-1, today=today + later * DAY)
        assert PriceBaseline.objects.get().day == today + later * DAY
        assert_exact(release, today=today + later * DAY)
        transaction.set_rollback(True)


def test_current_baseline_is_not_searched():
    """The stored amount counts until its day is over: the history is not read."""
    release = make_history({100: 250}, today=TODAY)
    baselines.renew([release], today=TODAY)
    PriceSnapshot.objects.all().delete()
    assert found_and_searched(release, TODAY - 91 * DAY, today=TODAY) == (250, None)
    assert found_and_searched(release, TODAY - 100 * DAY, today=TODAY) == (250, None)
    assert found_and_searched(release, TODAY - 91 * DAY, today=TODAY + DAY) == (None, None)


def test_renew_next_renews_all_in_steps(monkeypatch):
    monkeypatch.setattr(baselines, "BATCH", 2)
    releases = [make_history({9: 100 + number}, today=TODAY) for number in range(5)]
    baselines.renew(releases[:1], today=TODAY)
    after, steps = -1, []
    while (after := baselines.renew_next(after, today=TODAY)) is not None:
        steps.append(after)
    assert steps == [releases[2], releases[4]]
    assert not baselines.behind(today=TODAY).exists()
    assert [row.days_7_minor for row in PriceBaseline.objects.order_by("pk")] == [100, 101, 102, 103, 104]


def test_renew_has_constant_queries():
    few, many = [make_history({9: 1}, today=TODAY)], [make_history({9: 1}, today=TODAY) for _ in range(20)]
    with CaptureQueriesContext(connection) as for_few:
        baselines.renew(few, today=TODAY)
    with CaptureQueriesContext(connection) as for_many:
        baselines.renew(many, today=TODAY)
    assert len(for_few) == len(for_many) == 2


def test_daily_reading_costs_no_query():
    release = make.make_release().pk
    record(release, 100, at=noon(TODAY))
    before = ReleasePrice.objects.get()
    with CaptureQueriesContext(connection) as captured:
        baselines.note_reading(release, before=before, now=noon(TODAY + DAY))
    assert len(captured) == 0
