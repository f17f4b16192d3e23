"""Whether there is work: what a click, a worker or the clock leaves in the tables."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django_q.tasks import async_task

from collections_app.models import ImportPass
from pricing.models import SyncRun, ValueRequest
from pricing.workers.waiting import work_waits
from tests import factories as make
from tests.pricing.monitoring.noon import NOON, make_job

pytestmark = pytest.mark.django_db


def request_value(seconds: int) -> None:
    user = get_user_model().objects.create_user("owner")
    ValueRequest.objects.create(user=user, due_at=NOON + timedelta(seconds=seconds))


def make_run(state: str) -> None:
    SyncRun.objects.create(state=state, trigger=SyncRun.Trigger.CLICK, stale_after_seconds=0, created_at=NOON)


def make_import(state: str) -> None:
    ImportPass.objects.create(connection=make.make_connection(), state=state, started_at=NOON)


@pytest.mark.parametrize(
    ("arrange", "waits"),
    [
        (lambda: None, False),
        (lambda: async_task("a.task", 1, save=False), True),
        (lambda: make_run("importing"), True),
        (lambda: make_run("running"), True),
        (lambda: make_run("paused"), False),
        (lambda: make_run("finished"), False),
        (lambda: make_import("running"), True),
        (lambda: make_import("complete"), False),
        (lambda: make_job("queued"), True),
        (lambda: make_job("running"), True),
        (lambda: make_job("recorded"), False),
        (lambda: make_job("dead"), False),
        (lambda: request_value(0), True),
        (lambda: request_value(1), False),
    ],
)
def test_work_waits(arrange, waits):
    arrange()
    assert work_waits(now=NOON) is waits


def test_work_waits_is_cheap_without_work(django_assert_num_queries):
    for _ in range(20):
        make_job("recorded", finished_at=NOON)
    with django_assert_num_queries(1):
        assert not work_waits(now=NOON)
