"""Discogs is unavailable for a while and then recovers."""

import pytest
from django.utils import timezone

from collections_app.models import ApiGate
from pricing.models import PriceJob, PriceSnapshot, SyncRun
from pricing.sync import runs
from tests.pricing.engine import import_all
from tests.processes import eventually

pytestmark = [
    pytest.mark.long,
    pytest.mark.fault,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
]

RELEASES = 120


@pytest.fixture
def run(make_collector, sandbox) -> SyncRun:
    user = make_collector(sandbox, release_ids=range(1000, 1000 + RELEASES))
    import_all(user)
    sandbox.reset("stats")
    return runs.start_sync(user, trigger=SyncRun.Trigger.CLICK, now=timezone.now(), import_first=False)


def await_end(run: SyncRun, *, within: float) -> None:
    eventually(
        lambda: SyncRun.objects.get(pk=run.pk).state == "finished", within=within, what="the end of the run"
    )


def test_ten_minutes_of_503_lose_no_job(run, sandbox, site):
    """Scaled: six seconds stand for a minute, so the outage lasts sixty seconds."""
    sandbox.add_fault(path="/releases/", kind="status", status=503, for_seconds=60)
    site.start("run_workers")
    rule = sandbox.faults()[0]
    eventually(PriceSnapshot.objects.exists, within=150, what="the first price after the outage")
    asked_in_the_outage = sandbox.stats()["faults"]["status"]
    assert 5 <= asked_in_the_outage <= 20, rule
    await_end(run, within=60)
    assert PriceSnapshot.objects.count() == RELEASES
    assert not PriceJob.objects.filter(state=PriceJob.State.DEAD).exists()


def test_429_pauses_workers_and_costs_no_attempt(run, sandbox, site):
    sandbox.add_fault(path="/releases/", kind="status", status=429, after=20, times=1)
    site.start("run_workers", PRICE_WORKERS_MIN="3")
    eventually(lambda: ApiGate.objects.filter(refusals__gt=0).exists(), within=60, what="the refusal")
    await_end(run, within=90)
    assert sandbox.stats()["statuses"].get("429") == 1
    # Only the refused request is repeated.
    assert sandbox.stats()["accepted"] <= RELEASES + 1
    assert set(PriceJob.objects.values_list("attempts", flat=True)) == {1}
