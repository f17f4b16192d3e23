"""The market of each day equals a plain sum over all releases, however often its task is killed."""

import math
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pricing import tasks
from pricing.daily import market
from pricing.models import MarketDay, PriceSnapshot
from pricing.workers import schedules
from tests import factories as make

pytestmark = pytest.mark.django_db
TODAY = date(2026, 9, 14)
DAY = timedelta(days=1)
NOON = datetime(2026, 9, 14, 12, tzinfo=UTC)
YESTERDAY = TODAY - DAY
some = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ages = st.integers(0, 70) | st.sampled_from([0, 1, 2, 29, 30, 31, 32])
# The age and the amount of each reading, negative if it is doubted; None: none for sale.
histories = st.lists(
    st.dictionaries(ages, st.none() | st.integers(1, 9_999) | st.integers(-99, -1), max_size=6), max_size=7
)


@pytest.fixture(autouse=True)
def _no_places():
    cache.clear()


def make_release(history):
    release = make.make_release()
    make.make_price(release, 500, observed_at=NOON)
    for age, amount in history.items():
        doubt = 1 if amount and amount < 0 else 0
        shown = abs(amount) if amount else amount
        make.make_snapshot(release, shown, day=TODAY - age * DAY, doubt=doubt)


def price_on(history, age):
    """The newest reading up to that day, of its 30 days, if it counts; if none is for sale, the last that does."""
    readings = [amount for at, amount in sorted(history.items()) if age <= at < age + 30]
    amount = readings[0] if readings else None
    if readings and amount is None:
        return next((each for each in readings if each and each > 0), None)
    return amount if amount and amount > 0 else None


def summed(made, age):
    pairs = [(price_on(history, age + 1), price_on(history, age)) for history in made]
    both = [pair for pair in pairs if None not in pair]
    return sum(before for before, _ in both), sum(after for _, after in both), len(both)


def sums_of(day):
    row = MarketDay.objects.get(day=day)
    return row.before_minor, row.after_minor, row.releases


@some
@given(made=histories, age=st.integers(1, 40), batch=st.integers(1, 3))
def test_market_day_equals_plain_sum(made, age, batch):
    with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(market, "BATCH", batch)
        for history in made:
            make_release(history)
        market.store_market_day(TODAY - age * DAY)
        assert sums_of(TODAY - age * DAY) == summed(made, age)
        transaction.set_rollback(True)


FILLED = 4  # days, so that fewer are summed than on a site
MADE = [{1: 100 + n, 2: 90 + n} for n in range(5)]


@pytest.fixture
def releases(monkeypatch):
    monkeypatch.setattr(market, "BATCH", 2)
    monkeypatch.setattr(market, "FILLED_FOR", FILLED)
    for history in MADE:
        make_release(history)


def test_day_killed_anywhere_is_summed_again(releases):
    """Each step is taken twice, as after a kill before its place was kept, and the cache forgets in between."""
    for steps in range(4):
        MarketDay.objects.all().delete()
        for _ in range(steps):
            place = cache.get(market._key(YESTERDAY))
            market.step(YESTERDAY)
            if place is not None:
                cache.set(market._key(YESTERDAY), place)
                market.step(YESTERDAY)
        assert not MarketDay.objects.exists()
        market.store_market_day(YESTERDAY)
        assert sums_of(YESTERDAY) == summed(MADE, 1)
        market.step(YESTERDAY)
        cache.clear()
        market.store_market_day(YESTERDAY)
        assert sums_of(YESTERDAY) == summed(MADE, 1)


def test_missing_days_are_over_and_of_the_last_30_days(releases, monkeypatch):
    monkeypatch.setattr(market, "FILLED_FOR", 30)
    early = datetime(2026, 9, 14, 0, 5, tzinfo=UTC)
    assert market.missing_days(now=early)[-1] == YESTERDAY - DAY
    assert not market.is_settled(early)
    days = market.missing_days(now=NOON)
    assert (days[0], days[-1], len(days)) == (TODAY - 30 * DAY, YESTERDAY, 30)
    assert market.is_settled(NOON)
    MarketDay.objects.create(day=TODAY - 5 * DAY, before_minor=1, after_minor=1, releases=1)
    assert market.missing_days(now=NOON) == [day for day in days if day != TODAY - 5 * DAY]


def test_site_without_a_price_has_no_missing_day():
    assert market.missing_days(now=NOON) == []


def test_steps_fill_all_missing_days(releases):
    steps = 0
    while market.step_next(now=NOON):
        steps += 1
    assert MarketDay.objects.count() == FILLED
    assert steps == FILLED * 4  # three for the releases of a day, one that stores it
    assert sums_of(YESTERDAY) == summed(MADE, 1)


def test_task_stores_missing_days_and_continues_itself(releases, monkeypatch):
    monkeypatch.setattr(tasks, "MARKET_SECONDS", -1.0)
    tasks.store_market()
    assert [row.task["func"] for row in OrmQ.objects.all()] == ["pricing.tasks.store_market"]
    OrmQ.objects.all().delete()
    monkeypatch.setattr(tasks, "MARKET_SECONDS", 60.0)
    tasks.store_market()
    assert MarketDay.objects.count() == FILLED
    assert not OrmQ.objects.exists()


def test_tick_queues_task_until_no_day_is_missing(releases):
    def queued():
        return [row for row in OrmQ.objects.all() if row.task["func"] == "pricing.tasks.store_market"]

    for minute in range(3):
        schedules.tick(NOON + minute * timedelta(minutes=1))
        assert len(queued()) == 1
    OrmQ.objects.all().delete()
    cache.delete(tasks.MARKET_QUEUED)  # as after three minutes
    schedules.tick(NOON + timedelta(hours=1))
    assert len(queued()) == 1
    OrmQ.objects.all().delete()
    cache.delete(tasks.MARKET_QUEUED)
    while market.step_next(now=NOON):
        pass
    schedules.tick(NOON + timedelta(hours=2))
    assert not queued()


def test_step_reads_its_releases_alone_by_index(releases):
    with CaptureQueriesContext(connection) as captured:
        market.step(YESTERDAY)
    read = [query["sql"] for query in captured if "pricing_pricesnapshot" in query["sql"]]
    assert len(read) == 1
    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SET LOCAL enable_seqscan = off"
            )  # the tables of a test are too small for an index
        cursor.execute(explain + read[0])
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert "SCAN pricing_pricesnapshot" not in plan
    assert "Seq Scan" not in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


def test_renewed_days_are_summed_from_the_start(releases):
    market.store_market_day(YESTERDAY)
    market.step(TODAY - 2 * DAY)  # stopped before the history was made up
    PriceSnapshot.objects.filter(day=YESTERDAY).update(amount_minor=500)
    PriceSnapshot.objects.filter(day=TODAY - 2 * DAY).update(amount_minor=400)
    market.renew_days(TODAY - 40 * DAY, now=NOON)
    assert sums_of(YESTERDAY) == (2_000, 2_500, 5)
    assert MarketDay.objects.count() == 40


# What pages read ------------------------------------------------------------------------------------


def store_days(*sums, last=YESTERDAY):
    """Days up to `last`, oldest first; None: not stored."""
    for ago, pair in enumerate(reversed(sums)):
        if pair is not None:
            before, after = pair
            MarketDay.objects.create(
                day=last - ago * DAY, before_minor=before, after_minor=after, releases=bool(before)
            )


@given(st.lists(st.tuples(st.integers(1, 10**9), st.integers(1, 10**9)), min_size=1, max_size=9))
@some
def test_index_chains_the_ratios_of_its_days(pairs):
    with transaction.atomic():
        store_days(*pairs)
        first = YESTERDAY - len(pairs) * DAY
        series = market.market_index(first, TODAY)
        levels = [math.prod([100.0, *(b / a for a, b in pairs[:n])]) for n in range(len(pairs) + 1)]
        assert [day for day, _ in series] == [first + n * DAY for n in range(len(pairs) + 1)]
        assert [level for _, level in series] == pytest.approx(levels)
        assert market.market_change(first, TODAY) == pytest.approx(levels[-1] - 100)
        transaction.set_rollback(True)


def test_index_begins_after_a_gap():
    store_days((100, 200), None, (100, 110), (110, 121))
    assert [day for day, _ in market.market_index(TODAY - 30 * DAY, TODAY)] == [
        YESTERDAY - 2 * DAY,
        YESTERDAY - DAY,
        YESTERDAY,
    ]
    assert market.market_change(YESTERDAY - 2 * DAY, TODAY) == pytest.approx(21)
    assert market.market_change(YESTERDAY - 3 * DAY, TODAY) is None


def test_day_without_a_release_is_a_gap():
    store_days((100, 200), (0, 0), (100, 110))
    assert market.market_change(YESTERDAY - 2 * DAY, TODAY) is None
    assert market.market_change(YESTERDAY - DAY, TODAY) == pytest.approx(10)


def test_index_ends_at_its_last_day():
    store_days((100, 200), (200, 300))
    assert market.market_change(YESTERDAY - 2 * DAY, YESTERDAY - DAY) == pytest.approx(100)


def test_market_that_is_not_stored_has_no_change():
    assert market.market_index(TODAY - 7 * DAY, TODAY) == []
    assert market.market_change(TODAY - 7 * DAY, TODAY) is None
    store_days((100, 200), last=TODAY - 5 * DAY)
    assert market.market_change(TODAY - 6 * DAY, TODAY) is None  # what happened since is unknown
