"""Clusters that were idle for a long time are healthy: the next import does not restart any of them."""

import time

import pytest
from django.utils import timezone

from collections_app.importing.steps import start_import
from collections_app.models import ImportPass
from collections_app.tasks import enqueue_import
from tests.processes import eventually

pytestmark = [
    pytest.mark.long,
    pytest.mark.fault,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
]

IDLE = 40  # seconds; a cluster without progress for 35 counts as stuck while rows are queued
PAGES = 30


def test_idle_start_restarts_no_cluster(make_collector, generous_sandbox, site, tmp_path):
    user = make_collector(generous_sandbox, release_ids=range(1000, 1000 + 100 * PAGES))
    log = tmp_path / "workers.log"
    site.start("run_workers", log=log, PRICE_WORKERS_MIN="4", PRICE_WORKERS_MAX="4")
    time.sleep(IDLE)
    generous_sandbox.set_limit(latency=1.5)
    import_pass, started = start_import(user.discogs_connection, now=timezone.now()), time.monotonic()
    enqueue_import(import_pass.pk, now=timezone.now())
    done = ImportPass.objects.filter(pk=import_pass.pk, state=ImportPass.State.COMPLETE)
    eventually(done.exists, within=180, what="the end of the import")
    took = time.monotonic() - started
    assert log.read_text().count("starting another") == 0
    assert took < 1.5 * (PAGES + 4) + 25
