"""A second import pass, which decides about many missing copies, in the engine: queued, joined and finished."""

from datetime import timedelta

import pytest
import responses
from django.utils import timezone
from django_q.models import OrmQ

from collections_app.importing import removed
from collections_app.importing.steps import QUEUE_PATIENCE, idle_imports
from collections_app.models import CollectionInstance, ImportPass
from collections_app.tasks import run_import_step
from pricing.models import SyncRun
from pricing.sources.access import is_busy
from pricing.sync import runs
from pricing.workers.supervisor import Supervisor
from tests.collections_app.importing.account import Account, row
from tests.pricing.engine import advance_runs

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(make_user, settings):
    """An account of 40 copies, of which 20 are missing since the last complete pass."""
    settings.DISCOGS_RATE_LIMIT = settings.PRICE_WORKER_RATE_LIMIT = 100_000
    settings.DISCOGS_RATE_WINDOW = 0.1
    with responses.mock:
        account = Account(make_user(), copies=[row(number) for number in range(1, 41)])
        account.read_once()
        del account.copies[20:]
        account.read_once()
        yield account


def held(account) -> int:
    return CollectionInstance.objects.of(account.user.pk).held().count()


def work_through_queue() -> None:
    """What the clusters do with the steps in the queue."""
    while queued := OrmQ.objects.order_by("pk").first():
        queued.delete()
        run_import_step(*queued.task["args"])


def test_supervisor_queues_a_confirmation(account):
    second = account.second_pass()
    assert idle_imports(now=timezone.now()) == [second.pk]
    Supervisor._queue_imports(timezone.now())
    assert idle_imports(now=timezone.now()) == []
    work_through_queue()
    second.refresh_from_db()
    assert (second.state, held(account)) == (ImportPass.State.COMPLETE, 20)
    assert idle_imports(now=timezone.now()) == []


def test_lost_step_is_queued_again(account):
    second = account.second_pass()
    Supervisor._queue_imports(timezone.now())
    OrmQ.objects.all().delete()
    assert idle_imports(now=timezone.now() + QUEUE_PATIENCE + timedelta(seconds=1)) == [second.pk]


def test_next_sync_joins_it_and_is_planned(account):
    second = account.second_pass()
    run = runs.start_sync(account.user, trigger=SyncRun.Trigger.CLICK, now=timezone.now())
    assert run.import_pass == second
    work_through_queue()
    advance_runs(now=timezone.now())
    run.refresh_from_db()
    assert (run.state, run.items.count(), held(account)) == (SyncRun.State.RUNNING, 20, 20)


def test_sync_without_import_does_not_wait_for_it(account):
    account.second_pass()
    run = runs.start_sync(
        account.user, trigger=SyncRun.Trigger.COMMAND, now=timezone.now(), import_first=False
    )
    assert run.state == SyncRun.State.RUNNING
    assert run.import_pass.state == ImportPass.State.COMPLETE


def test_optional_sources_wait_only_while_it_runs(account):
    assert is_busy()
    Supervisor._queue_imports(timezone.now())
    work_through_queue()
    assert not is_busy()


def test_it_is_found_by_the_pass_that_started_it(account):
    second = account.second_pass()
    first = ImportPass.objects.exclude(pk=second.pk).latest("pk")
    assert removed.confirmation_of(first) == second
    work = [first, second]
    Supervisor._queue_imports(timezone.now())
    work_through_queue()
    assert [removed.confirmation_of(each) for each in work] == [None, None]
