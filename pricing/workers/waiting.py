"""Whether there is work for the supervisor or a worker."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django_q.conf import Conf
from django_q.models import OrmQ

from collections_app.models import ImportPass
from pricing.models import PriceJob, SyncRun, ValueRequest


def work_waits(*, now: datetime) -> bool:
    """Whether anything is under way or due. One query, which reads an index of each table if nothing is.

    What only the clock starts is not counted: `schedules` starts it.
    """
    kinds: list[QuerySet[Any]] = [
        SyncRun.objects.working(),
        ImportPass.objects.running(),
        PriceJob.objects.working(),
        ValueRequest.objects.filter(due_at__lte=now),
    ]
    rows: QuerySet[Any] = OrmQ.objects.filter(key=Conf.CLUSTER_NAME)
    return rows.union(*kinds, all=True).exists()
