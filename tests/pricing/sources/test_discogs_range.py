"""Discogs' own range of a collection against the sandbox: when it is due, what is stored, what a failure leaves."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.utils import timezone

from collections_app.connections.connect import disconnect
from collections_app.discogs.gate import configured_gate
from collections_app.models import ApiGate, DiscogsConnection
from pricing import optional_tasks
from pricing.models import DiscogsRange, SourceAttempt
from pricing.retention.erase import erase_holdings
from pricing.sources import discogs_range
from pricing.tasks import this_process
from tests import factories as make
from tests.pricing.sources.owners import connection_of, make_owner, queued

pytestmark = pytest.mark.django_db(transaction=True)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
VALUE = "/users/collector_at_discogs/collection/value"


@pytest.fixture
def collector(make_collector, generous_sandbox):
    """A user whose account at Discogs shows amounts in euros."""
    return make_owner(make_collector, generous_sandbox, "collector", curr_abbr="EUR")


def noon() -> datetime:
    """Noon of this UTC day, so that an hour later is the same day."""
    return datetime.combine(timezone.now().astimezone(UTC).date(), time(12), UTC)


def ask(user, *, later: timedelta = timedelta(0)) -> bool:
    now = noon() + later
    return discogs_range.refresh_range(connection_of(user).pk, client_for=this_process().client_for, now=now)


def enqueue(*, later: timedelta = timedelta(0), limit: int = 50) -> int:
    return discogs_range.enqueue_due(limit, now=noon() + later)


def outcomes() -> list[tuple[str, str]]:
    return list(SourceAttempt.objects.values_list("source", "outcome"))


def test_range_is_stored_in_the_accounts_currency(collector, generous_sandbox):
    assert ask(collector)
    row = DiscogsRange.objects.get()
    assert (row.connection, row.day, row.currency) == (connection_of(collector), noon().date(), "EUR")
    assert 0 < row.minimum_minor < row.median_minor < row.maximum_minor
    assert generous_sandbox.stats()["accepted"] == 1
    assert outcomes() == []


def test_range_is_requested_once_a_day(collector, generous_sandbox):
    assert enqueue() == 1
    assert queued() == [("refresh_range", (connection_of(collector).pk,))]
    ask(collector)
    assert ask(collector, later=11 * HOUR) is False
    assert enqueue(later=11 * HOUR) == 0
    assert enqueue(later=12 * HOUR) == 1
    assert ask(collector, later=12 * HOUR)
    assert generous_sandbox.stats()["accepted"] == DiscogsRange.objects.count() == 2


def test_queued_task_stores_range(collector):
    enqueue()
    for name, args in queued():
        getattr(optional_tasks, name)(*args)
    assert DiscogsRange.objects.count() == 1


def test_limit_of_queued_requests(collector, make_collector, generous_sandbox):
    make_owner(make_collector, generous_sandbox, "other")
    assert enqueue(limit=0) == 0
    assert enqueue(limit=1) == 1


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ({"kind": "status", "status": 401, "body": '{"message": "no"}'}, "refused"),
        ({"kind": "status", "status": 403, "body": '{"message": "no"}'}, "refused"),
        ({"kind": "status", "status": 404, "body": '{"message": "no"}'}, "refused"),
        ({"kind": "status", "status": 500}, "failed"),
        ({"kind": "status", "status": 200, "body": '{"minimum": "?"}'}, "failed"),
    ],
)
def test_failure_harms_nothing_and_waits_for_the_next_day(collector, generous_sandbox, fault, outcome):
    ask(collector, later=-DAY)
    before = DiscogsRange.objects.values().get()
    connection = DiscogsConnection.objects.values().get()
    generous_sandbox.add_fault(path=VALUE, times=1, **fault)
    assert ask(collector) is False
    assert DiscogsRange.objects.values().get() == before
    assert DiscogsConnection.objects.values().get() == connection
    assert outcomes() == [("range", outcome)]
    assert enqueue(later=11 * HOUR) == 0
    assert ask(collector, later=12 * HOUR)


def test_closed_gate_postpones_request(collector, generous_sandbox):
    configured_gate().record_refusal(retry_after=600)
    assert ask(collector) is False
    assert outcomes() == []
    ApiGate.objects.update(paused_until=0)
    assert enqueue() == 1


def test_range_waits_for_sync(collector, generous_sandbox):
    make.make_run(connection_of(collector), "running")
    assert ask(collector) is False
    assert generous_sandbox.stats()["accepted"] == 0


@pytest.mark.parametrize("state", ["reconnect_needed", "unreadable", "private", "gone"])
def test_inactive_connection_is_not_asked(collector, generous_sandbox, state):
    DiscogsConnection.objects.update(state=state)
    assert enqueue() == 0
    assert ask(collector) is False
    assert generous_sandbox.stats()["accepted"] == 0


def test_collection_without_copies_is_not_asked(collector):
    connection_of(collector).instances.update(removed_at=timezone.now())
    assert enqueue() == 0


def test_disconnect_during_the_request_stores_nothing(collector):
    connection = connection_of(collector)

    class Client:
        def collection_range(self, username):
            disconnect(connection)
            return discogs_range.CollectionRange("EUR", 1, 2, 3)

    found = discogs_range.refresh_range(connection.pk, client_for=lambda _: Client(), now=noon())
    assert found is False
    assert not DiscogsRange.objects.exists()


def test_erased_collection_keeps_no_range(collector):
    ask(collector)
    SourceAttempt.objects.create(
        source="range", outcome="failed", tried_at=noon(), connection=connection_of(collector)
    )
    erase_holdings(collector.pk, now=timezone.now())
    assert not DiscogsRange.objects.exists()
    assert not SourceAttempt.objects.exists()
