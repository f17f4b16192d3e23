"""The queue's broker: django-q2's ORM broker, but in order."""

from django.db.models import QuerySet
from django_q.brokers.orm import ORM
from django_q.models import OrmQ


class OrderedBroker(ORM):
    """Hands out the earliest lock time first, so that work someone waits for can go before the rest.

    django-q2's own broker takes rows in whatever order the database likes.
    """

    @staticmethod
    def get_connection(list_key: str | None = None) -> "QuerySet[OrmQ]":
        rows: QuerySet[OrmQ] = ORM.get_connection(list_key).order_by("lock", "id")
        return rows
