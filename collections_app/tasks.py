"""Entry points of this app's queued tasks. Only ids cross the queue, never objects."""

import time
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from collections_app import schema
from collections_app.discogs.process import this_process
from collections_app.importing.steps import import_step
from collections_app.models import ImportPass

STEP = "collections_app.tasks.run_import_step"
MORE_PAGES_FOR = 1.0  # seconds
LONGEST_STEP = 29  # seconds: the wait for the slot, the answer and the page's transaction


def enqueue_import(pass_id: int, *, now: datetime) -> None:
    """Queue the next step of an import."""
    with transaction.atomic():
        ImportPass.objects.filter(pk=pass_id).update(queued_at=now)
        async_task(STEP, pass_id, save=False)


def run_import_step(pass_id: int) -> None:
    """Queue entry: import a page, and the following ones for up to a second. The next task continues.

    A step that has to wait is enqueued again once it is due, when the scheduler looks for idle imports.
    """
    until = time.monotonic() + _seconds_for_more_pages()
    client_for = this_process().client_for
    # If the schema does not match, the step is enqueued again when it is found idle.
    while not schema.mismatch() and import_step(pass_id, now=timezone.now(), client_for=client_for) == 0:
        if time.monotonic() >= until:
            enqueue_import(pass_id, now=timezone.now())
            return


def _seconds_for_more_pages() -> float:
    """Seconds after which a task begins no other page.

    A queued step waits half a second for an idle cluster to look, longer than a page takes without a limit. A task may
    wait 28 seconds in its last step, and still must end before it is ended by force.
    """
    return float(min(MORE_PAGES_FOR, settings.PRICE_TASK_TIMEOUT - LONGEST_STEP))
