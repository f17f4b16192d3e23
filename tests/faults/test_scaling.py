"""The pool grows and shrinks with the latency of Discogs."""

import re
import time

import pytest
from django.utils import timezone

from pricing.models import PriceSnapshot, SyncRun
from pricing.sync import runs
from tests.conftest import point_at
from tests.pricing.engine import import_all
from tests.processes import eventually

pytestmark = [
    pytest.mark.long,
    pytest.mark.fault,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
]

LIMIT, WINDOW = 9, 6  # 1.5 requests a second: at four seconds each, they keep six workers busy and one ready


def test_pool_follows_the_speed_of_answers(make_collector, sandbox, site, settings, tmp_path):
    sandbox.set_limit(limit=LIMIT, window=WINDOW)
    point_at(settings, sandbox, limit=LIMIT, window=WINDOW)
    user = make_collector(sandbox, release_ids=range(1000, 1250))
    import_all(user)
    # Slow only after the request was admitted: Discogs is slow, the network is not.
    sandbox.add_fault(path="/releases/", kind="slow", seconds=4)
    runs.start_sync(user, trigger=SyncRun.Trigger.CLICK, now=timezone.now(), import_first=False)
    log = tmp_path / "workers.log"
    site.environment["DISCOGS_RATE_LIMIT"] = str(LIMIT)
    site.start("run_workers", log=log, PRICE_WORKERS_MIN="1", PRICE_WORKERS_MAX="9")

    def steps() -> list[tuple[int, int]]:
        return [
            (int(old), int(new))
            for new, old in re.findall(r"workers: (\d+) instead of (\d+)", log.read_text())
        ]

    eventually(lambda: any(new >= 7 for _old, new in steps()), within=120, what="seven workers")
    # The first answer of a new worker takes its start-up time plus four seconds.
    grown = PriceSnapshot.objects.count()
    eventually(
        lambda: PriceSnapshot.objects.count() >= grown + 15, within=60, what="the new workers' answers"
    )
    before, started = PriceSnapshot.objects.count(), time.monotonic()
    eventually(lambda: PriceSnapshot.objects.count() >= before + 30, within=60, what="30 more")
    used = 30 / (time.monotonic() - started) * WINDOW / LIMIT
    assert used >= 0.85
    sandbox.clear_faults()
    eventually(lambda: steps()[-1][1] <= 3, within=150, what="a small pool again")
    reasons = re.findall(r"because (.+)", log.read_text())
    assert len(reasons) == len(steps())
    assert any("4." in reason and "need" in reason for reason in reasons)
    assert any("enough" in reason for reason in reasons)
