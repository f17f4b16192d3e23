"""The queue's broker: django-q2's ORM broker, but in order."""

import contextlib
import time
from datetime import timedelta

from django import db
from django.db.models import QuerySet
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ

from collections_app import schema
from pricing.monitoring import outage

AHEAD = timedelta(minutes=1)  # longer than a row lies in the queue while the gate lets work through
AWAY_POLL = 1.0  # seconds between two tries while the database is away
ACKNOWLEDGE_WITHIN = 60.0  # seconds; later the row comes back, and its job is found done


class OrderedBroker(ORM):
    """Hands out the earliest lock time first; `ahead` puts a row before those of so long ago.

    django-q2's own broker takes rows in whatever order the database likes. Prices fetched in the background come in
    by the dozen, so whatever else is enqueued, such as a step of an import, goes before them.
    """

    def __init__(self, list_key: str | None = None, *, ahead: timedelta = AHEAD) -> None:
        super().__init__(list_key)
        self._ahead = ahead

    @staticmethod
    def get_connection(list_key: str | None = None) -> "QuerySet[OrmQ]":
        rows: QuerySet[OrmQ] = ORM.get_connection(list_key).order_by("lock", "id")
        return rows

    def dequeue(self) -> list[tuple[int, str]] | None:
        """As django-q2, which would log a traceback and end the process when the database is away."""
        try:
            if schema.mismatch():
                time.sleep(Conf.POLL)  # rows stay for workers of the right version
                return None
            rows: list[tuple[int, str]] | None = super().dequeue()
        except outage.AWAY as error:
            outage.note_away(error)
            db.close_old_connections()
            time.sleep(AWAY_POLL)
            return None
        outage.note_answer()
        return rows

    def acknowledge(self, task_id: int) -> None:
        """Delete the row of a task that is done, once the database answers: otherwise it would be done again."""
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
        """What the cluster reports of itself is worth nothing later, so a database that is away is no error."""
        with contextlib.suppress(*outage.AWAY):
            super().set_stat(key, value, timeout)

    def enqueue(self, task: str) -> int:
        lock = timezone.now() - self._ahead
        return int(self.get_connection().create(key=self.list_key, payload=task, lock=lock).pk)
