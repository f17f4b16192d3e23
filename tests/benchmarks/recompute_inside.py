"""`python -m tests.benchmarks.recompute_inside USERNAME FIRST COUNT DAYS`: rebuild a user's values and check them."""

import json
import os
import resource
import sys
import time
from datetime import timedelta

import django
from django.utils import timezone

from tests.benchmarks.pages_inside import fill
from tests.benchmarks.seed import seed


def main(username: str, *, first: int, count: int, history: int) -> dict[str, float]:
    from django.contrib.auth import get_user_model

    from pricing.daily.stored import differences, rebuild_values

    seed(username, f"token-of-{username}", first=first, count=count)
    fill(username, first=first, count=count, history=history)
    user, now = get_user_model().objects.get(username=username), timezone.now()
    today = now.date()
    rebuild_values(user.pk, first=today - timedelta(days=history), last=today, now=now)
    started = time.perf_counter()
    found = len(list(differences(user.pk, now=now)))
    return {
        "seconds": time.perf_counter() - started,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "differences": found,
    }


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    _, name, start, number, readings = sys.argv
    sys.stdout.write(json.dumps(main(name, first=int(start), count=int(number), history=int(readings))))
