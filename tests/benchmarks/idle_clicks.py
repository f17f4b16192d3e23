"""`python -m tests.benchmarks.idle_clicks FIRST COUNT USERNAME`: click while nothing is under way; print the seconds.

COUNT releases from FIRST on are checked one by one; the user's collection is synced as often.
"""

import json
import os
import random
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median

import django
from django.utils import timezone

PAUSE = (6.0, 8.0)  # seconds between two clicks: everything is at rest again, at any point of its own rhythm
WITHIN = 60.0  # seconds


def seconds_until(condition: Callable[[], bool], started: float) -> float:
    while not condition():
        assert time.monotonic() - started < WITHIN, "no price"
        time.sleep(0.02)
    return time.monotonic() - started


def check(release_id: int) -> float:
    from pricing.models import PriceSnapshot
    from pricing.sync import runs

    started = time.monotonic()
    runs.check_release(release_id, now=timezone.now())
    return seconds_until(PriceSnapshot.objects.filter(release=release_id).exists, started)


def sync(username: str) -> float:
    from django.contrib.auth import get_user_model

    from pricing.models import PriceJob, SyncRun
    from pricing.sync import runs

    user = get_user_model().objects.get(username=username)
    started = time.monotonic()
    run = runs.start_sync(user, trigger=SyncRun.Trigger.CLICK, now=timezone.now(), stale_after=timedelta(0))
    return seconds_until(PriceJob.objects.filter(items__run=run, finished_at__isnull=False).exists, started)


def measure(first: int, count: int, username: str) -> dict[str, dict[str, float]]:
    clicks: dict[str, list[float]] = {"check of a release": [], "sync": []}
    for number in range(count):
        time.sleep(random.uniform(*PAUSE))
        clicks["check of a release"].append(check(first + number))
        time.sleep(random.uniform(*PAUSE))
        clicks["sync"].append(sync(username))
    return {name: {"median": median(each), "longest": max(each)} for name, each in clicks.items()}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    _, first_release, number, user = sys.argv
    sys.stdout.write(json.dumps(measure(int(first_release), int(number), user)))
