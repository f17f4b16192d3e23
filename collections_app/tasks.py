"""Entry points of this app's queued tasks. Only ids cross the queue, never objects."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from collections_app import schema
from collections_app.importing.steps import import_step
from collections_app.models import ImportPass

STEP = "collections_app.tasks.run_import_step"


def enqueue_import(pass_id: int, *, now: datetime) -> None:
    """Queue the next step of an import."""
    with transaction.atomic():
        ImportPass.objects.filter(pk=pass_id).update(queued_at=now)
        async_task(STEP, pass_id, save=False)


def run_import_step(pass_id: int) -> None:
    """Queue entry: import one page; the next page is another task, so none runs long.

    A step that has to wait is enqueued again once it is due, when the scheduler looks for idle imports.
    """
    if schema.mismatch():
        return  # the step is enqueued again when it is found idle
    now = timezone.now()
    if import_step(pass_id, now=now) == 0:
        enqueue_import(pass_id, now=now)
