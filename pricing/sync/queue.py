"""The queue's broker: django-q2's ORM broker with a defined order."""

import contextlib
import time
from collections.abc import Callable
from datetime import timedelta

from django import db
from django.db.models import QuerySet
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ

from collections_app import schema
from collections_app.data_version import data_version
from pricing.monitoring import outage

AHEAD = timedelta(minutes=1)  # longer than a row stays in the queue while the gate is open
AWAY_POLL = 1.0  # seconds between two attempts while the database is unavailable
MAX_UNSEEN = (
    2.0  # seconds until the queue is read again although nothing was written: a row may have come due
)
STATUS_EVERY = 10.0  # seconds between two reports of a cluster's status; each is written to the database
ACKNOWLEDGE_WITHIN = 60.0  # seconds; after that the row is delivered again, and its job is found finished


class OrderedBroker(ORM):
    """Dequeues the earliest lock time first; `ahead` puts a new row before rows enqueued up to that long ago.

    django-q2's own broker has no ORDER BY. Background price tasks are enqueued by the dozen, so every other task, such
    as a step of an import, goes before them.
    """

    def __init__(
        self,
        list_key: str | None = None,
        *,
        ahead: timedelta = AHEAD,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(list_key)
        self._ahead = ahead
        self._steady = steady
        self._found_empty: tuple[object, float] | None = (
            None  # the data version, and when by the steady clock
        )
        self._status_at: float | None = None

    @staticmethod
    def get_connection(list_key: str | None = None) -> "QuerySet[OrmQ]":
        rows: QuerySet[OrmQ] = ORM.get_connection(list_key).order_by("lock", "id")
        return rows

    def dequeue(self) -> list[tuple[int, str]] | None:
        """Dequeue as django-q2 does, which would log a traceback and end the process if the database is unavailable."""
        try:
            if schema.mismatch():
                time.sleep(Conf.POLL)  # the rows stay for workers of the matching version
                return None
            rows = self._dequeue_if_changed()
        except outage.AWAY as error:
            outage.note_away(error)
            db.close_old_connections()
            time.sleep(AWAY_POLL)
            return None
        outage.note_answer()
        return rows

    def _dequeue_if_changed(self) -> list[tuple[int, str]] | None:
        """Dequeue, unless the queue was empty a moment ago and nothing was written since."""
        version, clock = data_version(), self._steady()
        if self._found_empty and self._found_empty[0] == version:
            waited = clock - self._found_empty[1]
            if waited < MAX_UNSEEN:
                time.sleep(Conf.POLL)
                return None
        rows: list[tuple[int, str]] | None = super().dequeue()
        self._found_empty = None if rows else (version, clock)
        return rows

    def acknowledge(self, task_id: int) -> None:
        """Delete the row of a finished task, waiting for the database if necessary: otherwise the task runs again."""
        give_up_at = time.monotonic() + ACKNOWLEDGE_WITHIN
        while True:
            try:
                super().acknowledge(task_id)
            except outage.AWAY as error:
                if time.monotonic() > give_up_at:
                    raise
                outage.note_away(error)
                time.sleep(AWAY_POLL)
            else:
                outage.note_answer()
                return

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """Store the cluster's status now and then; django-q2 reports it every second.

        It is of no use later, so an unavailable database is not an error.
        """
        clock = self._steady()
        if self._status_at is None or clock - self._status_at >= STATUS_EVERY:
            self._status_at = clock
            with contextlib.suppress(*outage.AWAY):
                super().set_stat(key, value, int(timeout + STATUS_EVERY))

    def enqueue(self, task: str) -> int:
        lock = timezone.now() - self._ahead
        return int(self.get_connection().create(key=self.list_key, payload=task, lock=lock).pk)
