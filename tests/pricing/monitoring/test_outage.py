"""Database outages: each process logs the beginning and the end once, and keeps trying in between."""

import contextlib
import socket
import threading

import pytest
from django.db import connection, connections
from django_q.tasks import async_task

from pricing.monitoring import outage
from pricing.sync.queue import OrderedBroker

TASK = "collections_app.tasks.run_import_step"


@pytest.fixture(autouse=True)
def answering():
    outage._since = None
    yield
    outage._since = None


def logged(caplog) -> list[str]:
    return [
        r.getMessage().partition(":")[0].partition(",")[0]
        for r in caplog.records
        if r.name == outage.__name__
    ]


def test_outage_is_logged_once_with_its_end(caplog):
    for _ in range(20):
        outage.note_away(outage.OperationalError("connection refused\nIs the server running?"))
    for _ in range(20):
        outage.note_answer()
    assert logged(caplog) == ["the database does not answer", "the database answers again"]
    assert "connection refused. Nothing is lost" in caplog.records[0].getMessage()


class Door:
    """A proxy before the database. When it is shut, it ends its connections and refuses new ones."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._sockets: list[socket.socket] = []
        self.is_open = True
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if not self.is_open:
                client.close()
                continue
            server = socket.create_connection(self._to)
            self._sockets += [client, server]
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    @staticmethod
    def _carry(one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65_536):
                other.sendall(data)
        except OSError:
            pass
        finally:
            for each in (one, other):
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()

    def shut(self) -> None:
        self.is_open = False
        for each in self._sockets:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self._sockets = []

    def end(self) -> None:
        self.shut()
        self._listener.close()


@pytest.fixture
def door(transactional_db):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite is a file: it is never away")
    settings = connections["default"].settings_dict
    before = dict(settings)
    door = Door(settings["HOST"], int(settings["PORT"]))
    connection.close()
    settings.update(HOST="127.0.0.1", PORT=door.port)
    yield door
    connection.close()
    settings.update(before)
    door.end()


def test_broker_resumes_after_an_outage(door, caplog):
    async_task(TASK, 0, save=False)
    door.shut()
    broker = OrderedBroker()
    assert [broker.dequeue() for _ in range(3)] == [None, None, None]
    broker.set_stat("key", "value", 3)
    door.is_open = True
    ((row, _task),) = broker.dequeue() or broker.dequeue() or [(0, "")]
    assert row
    assert logged(caplog) == ["the database does not answer", "the database answers again"]


def test_broker_acknowledges_after_the_outage(door, caplog):
    async_task(TASK, 0, save=False)
    broker = OrderedBroker()
    ((row, _task),) = broker.dequeue()
    door.shut()
    threading.Timer(1.5, lambda: setattr(door, "is_open", True)).start()
    broker.acknowledge(row)
    assert broker.queue_size() + broker.lock_size() == 0
    assert logged(caplog) == ["the database does not answer", "the database answers again"]
