"""Workers at rest begin to work: after a click, when a schedule is due, and when something comes due by the clock."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from collections_app.models import DiscogsConnection
from pricing.models import PriceSnapshot, SyncRun, ValueRequest
from pricing.sync import runs
from tests.pricing.engine import import_all
from tests.processes import descendants, eventually

pytestmark = [
    pytest.mark.long,
    pytest.mark.fault,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
]

ALL = 11  # processes of a supervisor with two clusters
WITHIN = 30  # seconds, on a loaded machine; at rest a supervisor looks every five


@pytest.fixture
def collector(make_collector, sandbox):
    user = make_collector(sandbox, release_ids=range(1000, 1003))
    import_all(user)
    return user


@pytest.fixture
def log(collector, site, tmp_path):
    """The log of workers that have been at rest for a while."""
    log = tmp_path / "workers.log"
    workers = site.start("run_workers", log=log)
    eventually(lambda: len(descendants(workers.pid)) == ALL, within=60, what="two whole clusters")
    time.sleep(15)
    return log


def assert_nothing_was_replaced(log) -> None:
    assert "starting another" not in log.read_text()


def test_click_wakes_the_workers(log):
    assert runs.check_release(1000, now=timezone.now())
    eventually(PriceSnapshot.objects.filter(release=1000).exists, within=WITHIN, what="the price")
    assert_nothing_was_replaced(log)


def test_sync_wakes_the_workers(log, collector):
    run = runs.start_sync(collector, trigger=SyncRun.Trigger.CLICK, now=timezone.now())
    finished = SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.FINISHED)
    eventually(finished.exists, within=2 * WITHIN, what="the end of the sync")
    assert PriceSnapshot.objects.count() == 3
    assert_nothing_was_replaced(log)


def test_due_schedule_wakes_the_workers(log, collector):
    SyncRun.objects.filter(user=collector).delete()
    DiscogsConnection.objects.update(connected_at=timezone.now() - timedelta(days=3))
    finished = SyncRun.objects.filter(trigger=SyncRun.Trigger.SCHEDULE, state=SyncRun.State.FINISHED)
    eventually(finished.exists, within=60 + 2 * WITHIN, what="the end of a scheduled sync")
    assert_nothing_was_replaced(log)


def test_unseen_work_is_only_delayed(log, collector):
    """Nothing is written at the moment when a request comes due, so nothing wakes the supervisor."""
    ValueRequest.objects.create(user=collector, due_at=timezone.now() + timedelta(seconds=8))
    eventually(lambda: not ValueRequest.objects.exists(), within=8 + WITHIN, what="the end of the request")
    assert_nothing_was_replaced(log)
