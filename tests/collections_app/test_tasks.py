"""The queued task that reads a collection: how many pages it reads, and what the next task finds."""

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from collections_app import tasks
from collections_app.importing.steps import start_import
from collections_app.models import ImportPass
from collections_app.tasks import run_import_step

pytestmark = pytest.mark.django_db(transaction=True)
REQUESTS = 2 + 3 + 1  # folders, fields, three pages, the wantlist


@pytest.fixture
def import_pass(make_collector, generous_sandbox):
    collector = make_collector(generous_sandbox, count=250)
    generous_sandbox.reset("stats")
    return start_import(collector.discogs_connection, now=timezone.now())


@pytest.fixture
def unhurried(monkeypatch):
    """No page is slow, and none is the last of its task."""
    monkeypatch.setattr(tasks, "SLOW_PAGE", 500.0)
    monkeypatch.setattr(tasks, "MORE_PAGES_FOR", 500.0)


def test_task_reads_pages_over_one_connection(import_pass, generous_sandbox, unhurried):
    run_import_step(import_pass.pk)
    import_pass.refresh_from_db()
    assert (import_pass.state, import_pass.requests) == (ImportPass.State.COMPLETE, REQUESTS)
    assert not OrmQ.objects.exists()
    assert generous_sandbox.stats()["connections"] == 1


@pytest.mark.parametrize("limit", ["SLOW_PAGE", "MORE_PAGES_FOR"])
def test_task_ends_after_a_slow_page(import_pass, unhurried, monkeypatch, limit):
    monkeypatch.setattr(tasks, limit, 0.0)
    run_import_step(import_pass.pk)
    import_pass.refresh_from_db()
    assert (import_pass.state, import_pass.requests) == (ImportPass.State.RUNNING, 1)
    assert [row.task["args"] for row in OrmQ.objects.all()] == [(import_pass.pk,)]


def test_task_ends_at_a_page_that_must_wait(import_pass, generous_sandbox, unhurried):
    generous_sandbox.add_fault(path="^/users/.*page=2", kind="html", times=1)
    run_import_step(import_pass.pk)
    import_pass.refresh_from_db()
    assert (import_pass.next_page, import_pass.attempts, import_pass.not_before is None) == (2, 1, False)
    assert not OrmQ.objects.exists()
