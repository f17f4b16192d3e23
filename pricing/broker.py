"""The queue's broker: django-q2's ORM broker, but in order."""

import time
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ

from collections_app import schema

AHEAD = timedelta(minutes=1)  # longer than a row lies in the queue while the gate lets work through


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
        if schema.mismatch():
            time.sleep(Conf.POLL)  # rows stay for workers of the right version
            return None
        rows: list[tuple[int, str]] | None = super().dequeue()
        return rows

    def enqueue(self, task: str) -> int:
        lock = timezone.now() - self._ahead
        return int(self.get_connection().create(key=self.list_key, payload=task, lock=lock).pk)
