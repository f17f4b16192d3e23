"""Entry points of this app's queued tasks. Only ids cross the queue, never objects."""

import time
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from collections_app import schema
from collections_app.discogs.client import Credentials, DiscogsClient
from collections_app.discogs.gate import PATIENCE
from collections_app.discogs.process import this_process
from collections_app.importing.steps import import_step
from collections_app.models import ImportPass

STEP = "collections_app.tasks.run_import_step"
MORE_PAGES_FOR = 4.0  # seconds after which a task begins no other page
SLOW_PAGE = 0.5  # seconds; a page that waited for its slot ends the task, so that other work has its turn


def enqueue_import(pass_id: int, *, now: datetime) -> None:
    """Queue the next step of an import."""
    with transaction.atomic():
        ImportPass.objects.filter(pk=pass_id).update(queued_at=now)
        async_task(STEP, pass_id, save=False)


def run_import_step(pass_id: int) -> None:
    """Queue entry: import a page, and the following ones as long as they come quickly. The next task continues.

    A queued step waits half a second for a cluster to look into the queue: without a limit, longer than for its page.
    A step that has to wait is enqueued again once it is due, when the scheduler looks for idle imports.
    """
    began = started = time.monotonic()

    def client_for(credentials: Credentials) -> DiscogsClient:
        # Together no longer than one step may wait, so that the task ends before it is ended by force.
        patience = max(0.0, PATIENCE - (started - began))
        return this_process().client_for(credentials, patience=patience)

    # If the schema does not match, the step is enqueued again when it is found idle.
    while not schema.mismatch() and import_step(pass_id, now=timezone.now(), client_for=client_for) == 0:
        took, started = time.monotonic() - started, time.monotonic()
        if took > SLOW_PAGE or started - began > MORE_PAGES_FOR:
            enqueue_import(pass_id, now=timezone.now())
            return
