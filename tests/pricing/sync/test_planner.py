"""What a scheduled run asks for, in which order, and what it reuses."""

from datetime import UTC, datetime, timedelta

import pytest

from collections_app.discogs.payloads import MarketStatus
from collections_app.models import DiscogsConnection
from pricing.models import Doubt, PriceJob, RunItem, SyncRun, WeightPass
from pricing.sync import planner
from tests.factories import make_connection, make_copy, make_price, make_run

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 28, 0, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def plan(connection: DiscogsConnection, *, every: timedelta = DAY) -> SyncRun:
    """A scheduled run whose collection has been read, planned."""
    run = make_run(
        connection, "importing", trigger="schedule", stale_after_seconds=int(every.total_seconds())
    )
    list(planner.plan_steps(run, sorted(set(connection.instances.release_ids())), now=NOW))
    return run


def fetched(run: SyncRun) -> list[int]:
    """The releases with a job, in the order in which the feeder takes them."""
    return list(run.items.filter(job__isnull=False).order_by("pk").values_list("release_id", flat=True))


@pytest.mark.parametrize(
    ("status", "age", "lasted", "asked"),
    [
        ("priced", 2 * HOUR, DAY, False),
        ("priced", DAY, DAY, True),
        ("none_for_sale", DAY, 10 * DAY, True),
        ("none_for_sale", DAY, 40 * DAY, False),
        ("none_for_sale", 2 * DAY, 40 * DAY, True),
        ("none_for_sale", 3 * DAY, 100 * DAY, False),
        ("blocked", 6 * DAY, 6 * DAY, False),
        ("blocked", 7 * DAY, 7 * DAY, True),
        ("gone", 7 * DAY, 7 * DAY, True),
        ("gone", 8 * DAY, 50 * DAY, False),
        ("gone", 31 * DAY, 61 * DAY, True),
        ("gone", 80 * DAY, 200 * DAY, False),
    ],
)
def test_scheduled_run_requests_due_releases_only(status, age, lasted, asked):
    connection = make_connection()
    release = make_copy(connection).release
    amount = 1000 if status == MarketStatus.PRICED else None
    make_price(release, amount, status=status, observed_at=NOW - age, status_since=NOW - lasted)
    run = plan(connection)
    assert bool(fetched(run)) is asked
    assert run.items.get().reused is not asked


def test_new_then_overdue_then_urgent_go_first():
    connection = make_connection()
    new, calm, urgent, old, older = (make_copy(connection).release for _ in range(5))
    for release, days, urgency in ((calm, 3, 0.1), (urgent, 2, 0.2), (old, 26, 9.0), (older, 27, 0.0)):
        make_price(release, 1000, observed_at=NOW - days * DAY, urgency=urgency)
    assert fetched(plan(connection)) == [each.pk for each in (new, older, old, urgent, calm)]


def test_release_below_the_threshold_is_left_out():
    WeightPass.objects.create(pk=WeightPass.ONLY, day=NOW.date(), stepped_at=NOW, threshold=1.0)
    connection = make_connection()
    calm, urgent, overdue, blocked, young = (make_copy(connection).release for _ in range(5))
    make_price(calm, 1000, observed_at=NOW - 2 * DAY, urgency=0.4)
    make_price(urgent, 1000, observed_at=NOW - 2 * DAY, urgency=0.6)
    make_price(overdue, 1000, observed_at=NOW - 26 * DAY)
    make_price(blocked, None, status="blocked", observed_at=NOW - 8 * DAY)
    make_price(young, 1000, observed_at=NOW - 2 * HOUR, urgency=99)
    run = plan(connection)
    assert set(fetched(run)) == {urgent.pk, overdue.pk, blocked.pk}
    assert list(run.items.filter(reused=True).values_list("release_id", flat=True)) == [young.pk]
    assert run.items.count() == 4  # those left out are not said to be fresh


def test_doubted_release_is_read_again_next_day():
    WeightPass.objects.create(pk=WeightPass.ONLY, day=NOW.date(), stepped_at=NOW, threshold=1.0)
    connection = make_connection()
    today, yesterday, believed = (make_copy(connection).release for _ in range(3))
    make_price(today, 1000, doubt=Doubt.JUMP, observed_at=NOW - 20 * HOUR)
    make_price(yesterday, 1000, doubt=Doubt.JUMP, observed_at=NOW - DAY)
    make_price(believed, 1000, observed_at=NOW - 7 * DAY)
    assert fetched(plan(connection, every=7 * DAY)) == [yesterday.pk]


@pytest.mark.parametrize("trigger", ["click", "command"])
def test_manual_run_uses_the_plain_age(trigger):
    connection = make_connection()
    young, old, blocked, gone, gone_once = (make_copy(connection).release for _ in range(5))
    make_price(young, 1000, observed_at=NOW - 5 * HOUR)
    make_price(old, 1000, observed_at=NOW - 7 * HOUR)
    make_price(blocked, None, status="blocked", observed_at=NOW - 7 * HOUR)
    make_price(gone, None, status="gone", observed_at=NOW - 6 * DAY, status_since=NOW - 7 * DAY)
    make_price(gone_once, None, status="gone", observed_at=NOW - 25 * HOUR)
    run = make_run(connection, "importing", trigger=trigger, stale_after_seconds=6 * 3600)
    list(planner.plan_steps(run, [young.pk, old.pk, blocked.pk, gone.pk, gone_once.pk], now=NOW))
    assert fetched(run) == [old.pk, blocked.pk, gone_once.pk]
    assert RunItem.objects.filter(run=run, reused=True).count() == 2


def test_planning_has_a_constant_query_count(django_assert_max_num_queries):
    counts = []
    for name, releases in (("few", 5), ("many", 50)):
        connection = make_connection(name)
        for _ in range(releases):
            make_price(make_copy(connection).release, 1000, observed_at=NOW - 2 * DAY)
        with django_assert_max_num_queries(12) as queries:
            plan(connection)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert PriceJob.objects.count() == 55
