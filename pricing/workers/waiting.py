"""Whether there is work for the supervisor or a worker."""

from datetime import datetime

from django_q.conf import Conf
from django_q.models import OrmQ

from collections_app.models import ImportPass
from pricing.models import PriceJob, SyncRun, ValueRequest


def work_waits(*, now: datetime) -> bool:
    """Whether anything is under way or due. Five small queries, each from an index, if nothing is.

    What only the clock starts is not counted: `schedules` starts it.
    """
    return (
        OrmQ.objects.filter(key=Conf.CLUSTER_NAME).exists()
        or SyncRun.objects.working().exists()
        or ImportPass.objects.running().exists()
        or PriceJob.objects.working().exists()
        or ValueRequest.objects.filter(due_at__lte=now).exists()
    )
