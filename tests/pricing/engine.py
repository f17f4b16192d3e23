"""Running the engine inside a test, without the queue's processes: the same functions, one after the other."""

from datetime import datetime
from math import inf

from django.utils import timezone
from django_q.models import OrmQ

from collections_app.importing.steps import import_step, start_import
from pricing.sync import feeder, runs
from pricing.tasks import refresh_price


def import_all(user) -> None:
    import_pass = start_import(user.discogs_connection, now=timezone.now())
    while import_step(import_pass.pk, now=timezone.now()) is not None:
        pass


def drain_queue() -> int:
    """Run every price job that is in the queue; returns how many rows there were."""
    rows = list(OrmQ.objects.order_by("lock", "id"))
    for row in rows:
        OrmQ.objects.filter(pk=row.pk).delete()
        if row.task["func"] == feeder.TASK:
            refresh_price(*row.task["args"])
    return len(rows)


def advance_runs(*, now: datetime) -> None:
    """Plan and finish runs as far as possible."""
    runs.Plans().work(now=now, seconds=inf)
    runs.finish_runs(now=now)


def work_until_idle() -> None:
    """Feed and fetch until nothing is due now."""
    while feeder.feed(now=timezone.now()) or OrmQ.objects.exists():
        drain_queue()
    advance_runs(now=timezone.now())
