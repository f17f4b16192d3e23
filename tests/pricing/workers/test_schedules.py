"""Scheduled runs: which users get one, when, and which prices it fetches; and the daily work."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection as database
from django.utils import timezone
from django_q.models import OrmQ

from collections_app.models import ApiMinute, DiscogsConnection, ImportPass, Preferences
from pricing.daily import baselines, stored
from pricing.models import CollectionValue, PriceBaseline, PriceSnapshot, SyncRun, ValueRequest, WeightPass
from pricing.sync import value_requests
from pricing.tasks import BASELINES_QUEUED, renew_baselines
from pricing.workers import schedules
from tests.factories import (
    make_connection,
    make_copy,
    make_price,
    make_release,
    make_run,
    make_snapshot,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 28, 0, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def empty_cache(db, settings):
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # many users, no log-in


def connected(username: str = "collector", *, every: int | None = None, **fields) -> DiscogsConnection:
    """A user who connected a year ago, with the chosen interval or none."""
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
def test_tick_starts_a_run_after_the_interval(every, ago, due):
    ended_run(connected(every=every), ago=ago)
    schedules.tick(NOW)
    assert bool(scheduled()) is due


def test_narrowing_run_delays_no_schedule():
    connection = connected(every=6)
    ended_run(connection, ago=6 * HOUR)
    make_run(connection, "finished", created_at=NOW - HOUR, predicted_half_minor=4)
    schedules.tick(NOW)
    assert scheduled() == ["collector"]


def test_scheduled_run_imports_first():
    ended_run(connected(every=6), ago=DAY)
    schedules.tick(NOW)
    run = SyncRun.objects.get(trigger=SyncRun.Trigger.SCHEDULE)
    assert run.state == SyncRun.State.IMPORTING
    assert run.import_pass is not None
    assert run.import_pass.queued_at == NOW
    assert run.stale_after_seconds == 6 * 3600


@pytest.mark.parametrize("state", ["importing", "running", "paused"])
def test_tick_starts_no_run_during_another(state):
    connection = connected()
    ended_run(connection, ago=9 * DAY)
    make_run(connection, state, created_at=NOW - 3 * DAY)
    schedules.tick(NOW)
    assert scheduled() == []


def test_tick_counts_runs_started_by_hand():
    connection = connected()
    ended_run(connection, ago=9 * DAY)
    ended_run(connection, ago=2 * HOUR)
    schedules.tick(NOW)
    assert scheduled() == []


def test_cancelled_run_is_not_restarted_at_once():
    connection = connected()
    ended_run(connection, ago=9 * DAY)
    ended_run(connection, ago=2 * HOUR, state="cancelled")
    schedules.tick(NOW)
    assert scheduled() == []


def test_failed_run_is_retried_after_an_hour():
    connection = connected()
    ended_run(connection, ago=9 * DAY)
    ended_run(connection, ago=HOUR, state="failed")
    schedules.tick(NOW)
    assert scheduled() == []
    schedules.tick(NOW + 5 * timedelta(minutes=1))
    assert scheduled() == ["collector"]


def test_next_sync_is_when_the_tick_starts_it():
    connection = connected(every=6)
    ended_run(connection, ago=2 * HOUR)
    assert schedules.next_sync_at(connection.pk, now=NOW) == NOW + 4 * HOUR
    assert schedules.start_due_runs(now=NOW + 4 * HOUR - timedelta(minutes=1)) == 0
    assert schedules.start_due_runs(now=NOW + 4 * HOUR) == 1
    assert schedules.next_sync_at(connection.pk, now=NOW + 4 * HOUR) == NOW + 10 * HOUR  # one is active now


def test_next_sync_after_a_failure_is_in_an_hour():
    connection = connected(every=6)
    ended_run(connection, ago=10 * HOUR)
    failed = ended_run(connection, ago=timedelta(minutes=30), state="failed")
    assert schedules.next_sync_at(connection.pk, now=NOW) == failed.finished_at + HOUR


@pytest.mark.parametrize("unscheduled", [{"every": 0}, {"state": "private"}])
def test_next_sync_is_none_without_a_schedule(unscheduled):
    assert schedules.next_sync_at(connected(**unscheduled).pk, now=NOW) is None


def test_tick_skips_users_who_must_reconnect():
    ended_run(connected(state="reconnect_needed"), ago=9 * DAY)
    schedules.tick(NOW)
    assert scheduled() == []


def test_tick_skips_closed_accounts():
    connection = connected()
    ended_run(connection, ago=9 * DAY)
    connection.user.is_active = False
    connection.user.save()
    schedules.tick(NOW)
    assert scheduled() == []


def test_first_run_waits_an_hour_for_the_user():
    make_connection(connected_at=NOW)
    schedules.tick(NOW)
    assert scheduled() == []
    schedules.tick(NOW + HOUR)
    assert scheduled() == ["collector"]


def test_tick_starts_one_run_after_downtime():
    for name in ("one", "two"):
        ended_run(connected(name, every=6), ago=9 * DAY)
    for minute in range(3):
        schedules.tick(NOW + minute * timedelta(minutes=1))
    assert scheduled() == ["one", "two"]


def test_tick_starts_the_longest_overdue_first():
    for number in range(schedules.MAX_STARTS + 2):
        ended_run(connected(f"user{number:02}"), ago=(9 * DAY + number * HOUR))
    schedules.tick(NOW)
    assert scheduled() == [f"user{number:02}" for number in range(2, schedules.MAX_STARTS + 2)]
    schedules.tick(NOW + timedelta(minutes=1))
    assert len(scheduled()) == schedules.MAX_STARTS + 2


def test_runs_follow_the_last_one_not_midnight():
    for name, hour in (("early", 3), ("late", 9)):
        ended_run(connected(name), ago=DAY - hour * HOUR)
    begun = []
    for hour in range(12):
        schedules.tick(NOW + hour * HOUR)
        begun.append(scheduled())
    assert (begun[2], begun[3], begun[8], begun[9]) == ([], ["early"], ["early"], ["early", "late"])


@pytest.mark.django_db(transaction=True)
def test_ticks_at_once_start_one_run_per_user():
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
def test_tick_when_idle_has_constant_queries(users, django_assert_max_num_queries):
    for number in range(users):
        connection = connected(f"user{number}")
        ended_run(connection, ago=HOUR)
        make_copy(connection)
    WeightPass.objects.create(pk=WeightPass.ONLY, day=NOW.date(), stepped_at=NOW, finished_at=NOW)
    schedules.tick(NOW)
    # The queue is empty, so the optional sources ask the gate too; PostgreSQL is asked for its clock. Each daily task
    # costs one read of the cache.
    with django_assert_max_num_queries(12):
        schedules.tick(NOW + timedelta(minutes=1))


# Daily work -------------------------------------------------------------------------------------------


def work_off_values(now: datetime) -> None:
    """Queue the value requests that are due, and process the queue."""
    value_requests.feed(now=now)
    for row in OrmQ.objects.all():
        if row.task["func"] == value_requests.TASK:
            value_requests.work(*row.task["args"], now=now)
            row.delete()


def test_every_day_has_a_value_without_a_sync():
    connection = connected(every=0)
    make_snapshot(make_copy(connection).release, 1500, day=NOW.date(), observed_at=NOW)
    for hour in (0, 1, 24):
        schedules.tick(NOW + hour * HOUR)
        work_off_values(NOW + hour * HOUR)
    days = CollectionValue.objects.filter(basis="floor").order_by("day").values_list("day", "value_minor")
    assert list(days) == [(NOW.date(), 1500), (NOW.date() + DAY, 1500)]


def test_weights_are_queued_until_complete():
    connected()
    schedules.tick(NOW)
    queued = [row.task["func"] for row in OrmQ.objects.all()]
    assert queued.count("pricing.tasks.renew_weights") == 1
    OrmQ.objects.all().delete()  # the task was lost before its first step
    schedules.tick(NOW + 5 * timedelta(minutes=1))
    assert "pricing.tasks.renew_weights" in [row.task["func"] for row in OrmQ.objects.all()]
    OrmQ.objects.all().delete()
    WeightPass.objects.update_or_create(
        pk=WeightPass.ONLY, defaults={"day": NOW.date(), "stepped_at": NOW, "finished_at": NOW}
    )
    schedules.tick(NOW + HOUR)
    assert not OrmQ.objects.exists()


def test_settling_takes_some_users_per_tick(monkeypatch):
    monkeypatch.setattr(schedules, "MAX_SETTLED", 2)
    for number in range(5):
        connected(f"user{number}", every=0)
    asked = []
    for minute in range(4):
        schedules.tick(NOW + minute * timedelta(minutes=1))
        asked.append(ValueRequest.objects.filter(settles_yesterday=True).count())
    assert asked == [2, 4, 5, 5]
    ValueRequest.objects.all().delete()
    schedules.tick(NOW + HOUR)
    assert not ValueRequest.objects.exists()  # this day is done


def test_settling_uses_the_newest_prices():
    connection = connected(every=0)
    release = make_copy(connection).release
    make_snapshot(release, 1500, day=NOW.date(), observed_at=NOW)
    stored.settle_value(connection.user_id, now=NOW)
    PriceSnapshot.objects.update(amount_minor=1800, observed_at=NOW + HOUR)
    stored.settle_value(connection.user_id, now=NOW + DAY)
    assert CollectionValue.objects.get(day=NOW.date(), basis="floor").value_minor == 1800


def test_purge_deletes_one_batch_per_tick(monkeypatch):
    for minute in range(5):
        ApiMinute.objects.create(egress="here", minute=NOW - 40 * DAY + minute * timedelta(minutes=1))
    monkeypatch.setattr(schedules, "MAX_PURGED", 2)
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


def test_baselines_are_queued_until_none_is_behind():
    make_price(make_release(), 1500, observed_at=NOW)
    task = "pricing.tasks.renew_baselines"

    def queued():
        return [row for row in OrmQ.objects.all() if row.task["func"] == task]

    for minute in range(3):
        schedules.tick(NOW + minute * timedelta(minutes=1))
        assert len(queued()) == 1  # one is enough until it is lost
    queued()[0].delete()
    cache.delete(BASELINES_QUEUED)  # as after three minutes
    schedules.tick(NOW + HOUR)
    assert len(queued()) == 1
    queued()[0].delete()
    cache.delete(BASELINES_QUEUED)
    baselines.renew_next(-1, today=NOW.date())
    schedules.tick(NOW + 2 * HOUR)
    assert not queued()
    schedules.tick(NOW + DAY)
    assert len(queued()) == 1


def test_baseline_task_renews_what_is_behind():
    releases = [make_release() for _ in range(3)]
    for release in releases:
        make_price(release, 1500)
        make_snapshot(release, 1200, day=timezone.now().date() - 8 * DAY)
    renew_baselines()
    assert list(PriceBaseline.objects.values_list("days_7_minor", flat=True)) == [1200] * 3
    assert not OrmQ.objects.exists()  # nothing is left to do
