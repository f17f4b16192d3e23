"""The broker: an empty queue is read again when something was written, and otherwise every two seconds."""

import threading
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task

from pricing.sync.queue import OrderedBroker

pytestmark = pytest.mark.django_db(transaction=True)


class Clock:
    """A steady clock that the test moves."""

    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def empty(clock):
    """A broker that has found the queue empty."""
    broker = OrderedBroker(steady=clock)
    assert broker.dequeue() is None
    return broker


def reads(broker) -> int:
    """How often a call that finds nothing reads the queue."""
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert not broker.dequeue()
    return sum("django_q_ormq" in query["sql"] for query in queries)


def enqueue_elsewhere() -> None:
    def run() -> None:
        async_task("a.task", 1, save=False)
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def test_broker_reads_no_empty_queue_again(empty, clock):
    # On PostgreSQL a write to another database of the server counts too, and may come between two calls.
    assert any(reads(empty) == 0 for _ in range(20))
    clock.seconds += 2
    assert reads(empty) == 1


def test_broker_finds_a_row_of_another_process(empty):
    enqueue_elsewhere()
    assert len(empty.dequeue() or []) == 1


def test_broker_finds_every_row_at_once(empty):
    for _ in range(3):
        enqueue_elsewhere()
    assert [len(empty.dequeue() or []) for _ in range(4)] == [1, 1, 1, 0]


def test_broker_finds_a_row_that_comes_due(clock):
    """Nothing is written when a row comes due: it is found a little later."""
    async_task("a.task", 1, save=False)
    OrmQ.objects.update(lock=timezone.now() + timedelta(seconds=0.5))
    broker = OrderedBroker(steady=clock)
    assert [broker.dequeue() for _ in range(3)] == [None, None, None]
    clock.seconds += 2
    assert len(broker.dequeue() or []) == 1


def test_broker_stores_its_status_now_and_then(clock):
    broker = OrderedBroker(steady=clock)
    found = []
    for number in range(4):
        broker.set_stat("status", str(number), 3)
        found.append(cache.get("status"))
        clock.seconds += 4
    assert found == ["0", "0", "0", "3"]
