"""Scheduled runs: who gets one, when, and what it asks for."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection as database

from collections_app.models import ApiMinute, DiscogsConnection, ImportPass, Preferences
from pricing import planner, schedules
from pricing.models import CollectionValue, PriceJob, PriceStatus, RunItem, SyncRun
from tests.factories import (
    make_connection,
    make_instance,
    make_price,
    make_release,
    make_run,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 28, 0, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def nothing_remembered(db, settings):
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # many users, no log-in


def connected(username: str = "collector", *, every: int | None = None, **fields) -> DiscogsConnection:
    """A user who connected a year ago and chose an interval, or chose nothing."""
    connection = make_connection(username, connected_at=NOW - 365 * DAY, **fields)
    if every is not None:
        Preferences.objects.create(user=connection.user, sync_every_hours=every)
    return connection


def ended_run(connection: DiscogsConnection, *, ago: timedelta, state: str = "finished") -> SyncRun:
    return make_run(connection, state, created_at=NOW - ago, finished_at=NOW - ago + timedelta(minutes=5))


def scheduled() -> list[str]:
    runs = SyncRun.objects.filter(trigger=SyncRun.Trigger.SCHEDULE).order_by("user__username")
    return list(runs.values_list("user__username", flat=True))


@pytest.mark.parametrize(
    ("every", "ago", "due"),
    [
        (None, 23 * HOUR, False),  # daily, unless chosen otherwise
        (None, 24 * HOUR, True),
        (6, 5 * HOUR, False),
        (6, 6 * HOUR, True),
        (12, 11 * HOUR, False),
        (12, 12 * HOUR, True),
        (168, 6 * DAY, False),
        (168, 7 * DAY, True),
        (0, 400 * DAY, False),
    ],
)
def test_a_run_begins_when_the_users_interval_is_over(every, ago, due):
    ended_run(connected(every=every), ago=ago)
    schedules.tick(NOW)
    assert bool(scheduled()) is due


def test_a_scheduled_run_reads_the_collection_first():
    ended_run(connected(every=6), ago=DAY)
    schedules.tick(NOW)
    run = SyncRun.objects.get(trigger=SyncRun.Trigger.SCHEDULE)
    assert run.state == SyncRun.State.IMPORTING
    assert run.import_pass is not None
    assert run.import_pass.queued_at == NOW
    assert run.stale_after_seconds == 6 * 3600


@pytest.mark.parametrize("state", ["importing", "running", "paused"])
def test_nothing_begins_while_a_run_is_under_way(state):
    connection = connected()
    ended_run(connection, ago=9 * DAY)
    make_run(connection, state, created_at=NOW - 3 * DAY)
    schedules.tick(NOW)
    assert scheduled() == []


def test_a_run_someone_started_by_hand_counts():
    connection = connected()
    ended_run(connection, ago=9 * DAY)
    ended_run(connection, ago=2 * HOUR)
    schedules.tick(NOW)
    assert scheduled() == []


def test_a_cancelled_run_does_not_come_back_at_once():
    connection = connected()
    ended_run(connection, ago=9 * DAY)
    ended_run(connection, ago=2 * HOUR, state="cancelled")
    schedules.tick(NOW)
    assert scheduled() == []


def test_a_failed_run_is_tried_again_after_an_hour_and_not_before():
    connection = connected()
    ended_run(connection, ago=9 * DAY)
    ended_run(connection, ago=HOUR, state="failed")
    schedules.tick(NOW)
    assert scheduled() == []
    schedules.tick(NOW + 5 * timedelta(minutes=1))
    assert scheduled() == ["collector"]


def test_who_has_to_reconnect_gets_no_run():
    ended_run(connected(state="reconnect_needed"), ago=9 * DAY)
    schedules.tick(NOW)
    assert scheduled() == []


def test_a_closed_account_gets_no_run():
    connection = connected()
    ended_run(connection, ago=9 * DAY)
    connection.user.is_active = False
    connection.user.save()
    schedules.tick(NOW)
    assert scheduled() == []


def test_the_first_run_is_left_to_whoever_connected_for_an_hour():
    make_connection(connected_at=NOW)
    schedules.tick(NOW)
    assert scheduled() == []
    schedules.tick(NOW + HOUR)
    assert scheduled() == ["collector"]


def test_after_days_of_downtime_exactly_one_run_for_each_user_begins():
    for name in ("one", "two"):
        ended_run(connected(name, every=6), ago=9 * DAY)
    for minute in range(3):
        schedules.tick(NOW + minute * timedelta(minutes=1))
    assert scheduled() == ["one", "two"]


def test_after_a_downtime_of_everybody_the_longest_overdue_begin_first():
    for number in range(schedules.MOST_STARTS + 2):
        ended_run(connected(f"user{number:02}"), ago=(9 * DAY + number * HOUR))
    schedules.tick(NOW)
    assert scheduled() == [f"user{number:02}" for number in range(2, schedules.MOST_STARTS + 2)]
    schedules.tick(NOW + timedelta(minutes=1))
    assert len(scheduled()) == schedules.MOST_STARTS + 2


def test_runs_follow_from_each_users_last_one_and_not_from_midnight():
    for name, hour in (("early", 3), ("late", 9)):
        ended_run(connected(name), ago=DAY - hour * HOUR)
    begun = []
    for hour in range(12):
        schedules.tick(NOW + hour * HOUR)
        begun.append(scheduled())
    assert (begun[2], begun[3], begun[8], begun[9]) == ([], ["early"], ["early"], ["early", "late"])


@pytest.mark.django_db(transaction=True)
def test_several_hosts_that_tick_at_once_start_one_run():
    for name in ("one", "two", "three"):
        ended_run(connected(name), ago=9 * DAY)
    gates = threading.Barrier(4)

    def host() -> None:
        gates.wait()
        schedules.tick(NOW)
        database.close()

    hosts = [threading.Thread(target=host) for _ in range(4)]
    for thread in hosts:
        thread.start()
    for thread in hosts:
        thread.join()
    assert scheduled() == ["one", "three", "two"]
    assert ImportPass.objects.count() == 3


@pytest.mark.parametrize("users", [3, 30])
def test_a_tick_without_anything_due_costs_the_same_for_few_and_many(users, django_assert_max_num_queries):
    for number in range(users):
        connection = connected(f"user{number}")
        ended_run(connection, ago=HOUR)
        make_instance(connection)
    schedules.tick(NOW)
    with django_assert_max_num_queries(9):
        schedules.tick(NOW + timedelta(minutes=1))


# Daily work -------------------------------------------------------------------------------------------


def test_every_day_has_a_value_also_without_a_sync():
    connection = connected(every=0)
    make_price(make_instance(connection).release, 1500, observed_at=NOW)
    for hour in (0, 1, 24):
        schedules.tick(NOW + hour * HOUR)
    days = CollectionValue.objects.order_by("day").values_list("day", "value_minor")
    assert list(days) == [(NOW.date(), 1500), (NOW.date() + DAY, 1500)]


def test_what_has_had_its_time_is_deleted_a_batch_with_each_tick_until_the_day_is_done(monkeypatch):
    for minute in range(5):
        ApiMinute.objects.create(egress="here", minute=NOW - 40 * DAY + minute * timedelta(minutes=1))
    monkeypatch.setattr(schedules, "PURGED_AT_ONCE", 2)
    left = []
    for minute in range(4):
        schedules.tick(NOW + minute * timedelta(minutes=1))
        left.append(ApiMinute.objects.count())
    assert left == [3, 1, 0, 0]
    ApiMinute.objects.create(egress="here", minute=NOW - 40 * DAY)
    schedules.tick(NOW + HOUR)
    assert ApiMinute.objects.count() == 1  # this day is done
    schedules.tick(NOW + DAY)
    assert ApiMinute.objects.count() == 0


# What a scheduled run asks for -----------------------------------------------------------------------


def plan(connection: DiscogsConnection, *, every: timedelta = DAY) -> SyncRun:
    """A scheduled run whose collection has been read, planned."""
    run = make_run(connection, trigger="schedule", stale_after_seconds=int(every.total_seconds()))
    held = connection.instances.values_list("release_id", flat=True).distinct().order_by("release_id")
    planner.plan_items(run, list(held), now=NOW)
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
def test_a_scheduled_run_asks_for_what_is_due_and_reuses_the_rest(status, age, lasted, asked):
    connection = connected()
    release = make_instance(connection).release
    amount = 1000 if status == PriceStatus.PRICED else None
    make_price(release, amount, status=status, observed_at=NOW - age, status_since=NOW - lasted)
    run = plan(connection)
    assert bool(fetched(run)) is asked
    assert run.items.get().reused is not asked


def test_the_most_urgent_are_fetched_first_and_what_was_never_fetched_before_them():
    connection = connected()
    releases = [make_instance(connection).release for _ in range(4)]
    cheap, dear, moving, new = releases
    for release, amount, volatility in ((cheap, 500, 0.1), (dear, 50_000, 0.1), (moving, 50_000, 0.8)):
        make_price(release, amount, observed_at=NOW - 2 * DAY, volatility=volatility)
    assert fetched(plan(connection)) == [release.pk for release in (new, moving, dear, cheap)]


def test_a_release_of_many_owners_goes_before_one_of_a_single_owner():
    connection, other = connected("one"), connected("two")
    single, shared = (make_instance(connection).release for _ in range(2))
    make_instance(other, shared)
    for release in (single, shared):
        make_price(release, 1000, observed_at=NOW - 2 * DAY)
    assert fetched(plan(connection)) == [shared.pk, single.pk]


def test_what_does_not_fit_until_the_next_run_is_left_to_it_the_least_urgent_first(settings):
    settings.DISCOGS_RATE_LIMIT, settings.DISCOGS_RATE_WINDOW = 10, 24 * 3600.0
    connection = connected()
    releases = [make_instance(connection).release for _ in range(18)]
    for number, release in enumerate(releases):
        make_price(release, 1000, observed_at=NOW - (2 * DAY + number * HOUR))
    run = plan(connection)
    assert fetched(run) == [release.pk for release in reversed(releases)][:9]
    assert run.items.count() == 9  # those left out are not said to be fresh


def test_a_short_budget_is_shared_fairly_and_a_shared_release_counts_once(settings):
    settings.DISCOGS_RATE_LIMIT, settings.DISCOGS_RATE_WINDOW = 10, 24 * 3600.0
    one, two, never = connected("one"), connected("two"), connected("never", every=0)
    for _ in range(9):
        shared = make_instance(one).release
        make_instance(two, shared)
        make_instance(never, make_release())
        make_price(shared, 1000, observed_at=NOW - 2 * DAY)
    assert len(fetched(plan(one))) == 9


@pytest.mark.parametrize("trigger", ["click", "command"])
def test_a_click_or_command_keeps_to_the_plain_age(trigger):
    connection = connected()
    young, old, blocked, gone = (make_instance(connection).release for _ in range(4))
    make_price(young, 1000, observed_at=NOW - 5 * HOUR)
    make_price(old, 1000, observed_at=NOW - 7 * HOUR)
    make_price(blocked, None, status="blocked", observed_at=NOW - 7 * HOUR)
    make_price(gone, None, status="gone", observed_at=NOW - 6 * DAY)
    run = make_run(connection, trigger=trigger, stale_after_seconds=6 * 3600)
    planner.plan_items(run, [young.pk, old.pk, blocked.pk, gone.pk], now=NOW)
    assert fetched(run) == [old.pk, blocked.pk]
    assert RunItem.objects.filter(run=run, reused=True).count() == 2


@pytest.mark.parametrize("releases", [5, 50])
def test_planning_costs_the_same_for_few_and_many(releases, django_assert_max_num_queries):
    connection = connected()
    for _ in range(releases):
        make_price(make_instance(connection).release, 1000, observed_at=NOW - 2 * DAY)
    with django_assert_max_num_queries(12):
        plan(connection)
    assert PriceJob.objects.count() == releases
