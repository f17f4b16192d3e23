"""Values after a run: one request for each user, nothing that grows with users in the supervisor's loop."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ

from pricing.models import CollectionValue, PriceSnapshot, ReleasePrice, SyncRun, ValueRequest
from pricing.sync import runs, value_requests
from tests.factories import make_connection, make_copy, make_item, make_price, make_run

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 28, 12, 30, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
LATER = NOW + value_requests.OTHERS_WAIT


def run_with_owners(others: int, name: str = "collector") -> SyncRun:
    """A run that has fetched its one release, which so many other users hold too."""
    connection = make_connection(name)
    release = make_copy(connection).release
    make_price(release, 1500, observed_at=NOW)
    for number in range(others):
        make_copy(make_connection(f"{name}{number}"), release)
    run = make_run(connection, created_at=NOW)
    make_item(run, release, "recorded")
    return run


def queued() -> list[int]:
    """The ids of the requests in the queue, first first."""
    return [row.task["args"][0] for row in OrmQ.objects.order_by("lock", "id")]


def work_off(now: datetime) -> int:
    """Queue what is due and do it; returns for how many requests."""
    value_requests.feed(now=now)
    ids = queued()
    OrmQ.objects.all().delete()
    for request_id in ids:
        value_requests.work(request_id, now=now)
    return len(ids)


def work_off_all(now: datetime) -> None:
    while work_off(now):
        pass


def stored() -> set[str]:
    """The users with a value of today."""
    return set(CollectionValue.objects.filter(day=NOW.date()).values_list("user__username", flat=True))


def loop_step(now: datetime) -> int:
    """What the supervisor does after a run has ended; returns the number of queries."""
    with CaptureQueriesContext(database) as queries:
        runs.finish_runs(now=now)
        value_requests.feed(now=now)
    return len(queries)


def test_loop_queries_are_constant_in_owners():
    run_with_owners(3, "few")
    few = loop_step(NOW)
    work_off_all(NOW)
    work_off_all(LATER)
    run_with_owners(40, "many")
    assert loop_step(NOW) == few
    work_off_all(NOW)
    work_off_all(LATER)
    assert len(stored()) == 45


def test_own_value_is_computed_before_others():
    run = run_with_owners(2)
    loop_step(NOW)
    first = ValueRequest.objects.get(pk=queued()[0])
    assert (first.user_id, first.is_urgent) == (run.user_id, True)
    work_off(NOW)
    assert stored() == {"collector"}
    work_off_all(LATER - SECOND)
    assert stored() == {"collector"}
    work_off_all(LATER)
    assert stored() == {"collector", "collector0", "collector1"}


def test_many_runs_leave_one_request_per_user():
    run = run_with_owners(5)
    for _ in range(3):
        SyncRun.objects.filter(pk=run.pk).update(state=SyncRun.State.RUNNING)
        loop_step(NOW)
        work_off_all(NOW)
    assert ValueRequest.objects.count() == 5
    assert work_off(LATER) == 5
    assert not ValueRequest.objects.exists()


def test_request_during_computation_is_kept():
    run = run_with_owners(0)
    runs.finish_runs(now=NOW)
    pending = ["once"]

    def overtake(execute, sql, params, many, context):
        """A price and a request that come when the value has been computed and is about to be stored."""
        if sql.startswith('INSERT INTO "pricing_collectionvalue"') and pending:
            pending.clear()
            ReleasePrice.objects.update(amount_minor=1800)
            value_requests.request_after(run, now=NOW)
        return execute(sql, params, many, context)

    with database.execute_wrapper(overtake):
        value_requests.work(ValueRequest.objects.get(user=run.user_id).pk, now=NOW)
    assert CollectionValue.objects.get(basis="floor").value_minor == 1500
    work_off_all(NOW)
    assert CollectionValue.objects.get(basis="floor").value_minor == 1800
    assert not ValueRequest.objects.exists()


def test_request_with_a_lost_row_is_queued_again():
    run_with_owners(0)
    loop_step(NOW)
    OrmQ.objects.all().delete()
    value_requests.feed(now=NOW + MINUTE)
    assert queued() == []
    work_off_all(NOW + value_requests.LOST_AFTER + SECOND)
    assert stored() == {"collector"}


def test_request_delivered_twice_is_done_once():
    run_with_owners(0)
    loop_step(NOW)
    for _ in range(2):
        for request_id in queued():
            value_requests.work(request_id, now=NOW)
    assert not ValueRequest.objects.exists()


def test_request_that_always_fails_is_dropped(caplog):
    run_with_owners(0)
    runs.finish_runs(now=NOW)
    # A task that takes too long is killed with its worker: nothing of ours runs after the attempt was counted.
    ValueRequest.objects.update(attempts=value_requests.MAX_ATTEMPTS)
    work_off_all(NOW)
    assert not ValueRequest.objects.exists()
    assert stored() == set()
    assert "given up" in caplog.text


def test_few_requests_are_queued_at_a_time():
    run_with_owners(30)
    runs.finish_runs(now=NOW)
    work_off_all(NOW)
    value_requests.feed(now=LATER)
    assert len(queued()) == value_requests.MAX_QUEUED
    value_requests.feed(now=LATER)
    assert len(queued()) == value_requests.MAX_QUEUED


def test_own_value_does_not_wait_for_others():
    run_with_owners(30)
    runs.finish_runs(now=NOW)
    work_off_all(NOW)
    value_requests.feed(now=LATER)
    latest = run_with_owners(0, "latest")
    runs.finish_runs(now=LATER)
    value_requests.feed(now=LATER)
    assert ValueRequest.objects.get(user=latest.user_id).pk in queued()[:2]


def test_run_without_user_updates_all_owners():
    run = run_with_owners(2)
    SyncRun.objects.filter(pk=run.pk).update(user=None)
    runs.finish_runs(now=NOW)
    work_off_all(NOW)
    work_off_all(LATER)
    assert stored() == {"collector", "collector0", "collector1"}


def test_reused_prices_change_no_value_of_others():
    run = run_with_owners(2)
    run.items.update(reused=True)
    runs.finish_runs(now=NOW)
    work_off_all(NOW)
    assert not ValueRequest.objects.exists()


def test_erased_user_leaves_no_request():
    run = run_with_owners(1)
    runs.finish_runs(now=NOW)
    work_off_all(NOW)
    run.user.delete()
    make_connection("another")
    for user in type(run.user).objects.filter(username="collector0"):
        user.delete()
    assert not ValueRequest.objects.exists()


def test_settling_and_a_run_share_one_request():
    run = run_with_owners(0)
    release = run.items.get().release
    PriceSnapshot.objects.create(
        release=release,
        day=NOW.date() - timedelta(days=1),
        observed_at=NOW - timedelta(days=1),
        status="priced",
        amount_minor=1200,
        currency="USD",
    )
    release.instances.update(added_at=NOW - timedelta(days=9))
    value_requests.request_settling(after=0, limit=10, now=NOW)
    runs.finish_runs(now=NOW)
    assert ValueRequest.objects.filter(user=run.user_id).count() == 1
    work_off_all(NOW)
    assert CollectionValue.objects.order_by("day").values_list("value_minor", flat=True)[0] == 1200
