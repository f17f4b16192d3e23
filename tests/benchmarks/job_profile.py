"""`python -m tests.benchmarks.job_profile JOBS [--profile]`: measure where a price job spends its time.

Feeds and fetches in this process, without the queue's processes, and prints JSON: milliseconds and statements for
each job. With --profile, it also prints a cProfile on stderr.
"""

import cProfile
import json
import os
import pstats
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import django
from django.utils import timezone


class Cost:
    """The cost of a part of the work: wall-clock seconds, seconds in statements, number of statements."""

    def __init__(self) -> None:
        self.seconds = self.database_seconds = 0.0
        self.statements = 0

    def measure(self, step: Callable[[], Any]) -> Any:
        from django.db import connection

        started = time.perf_counter()
        with connection.execute_wrapper(self._count):
            result = step()
        self.seconds += time.perf_counter() - started
        return result

    def _count(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.statements += 1
            self.database_seconds += time.perf_counter() - started


def work(jobs: int) -> dict[str, float]:
    from django.db.models import Sum
    from django_q.models import OrmQ

    from pricing.models import PriceJob
    from pricing.sync import feeder
    from pricing.tasks import refresh_price

    feed, fetch, done, began = Cost(), Cost(), 0, timezone.now()
    while done < jobs and feed.measure(lambda: feeder.feed(now=timezone.now())):
        for row in list(OrmQ.objects.order_by("lock", "id")):
            OrmQ.objects.filter(pk=row.pk).delete()
            fetch.measure(partial(refresh_price, *row.task["args"]))
            done += 1
    ended = PriceJob.objects.filter(started_at__gte=began)
    answered = ended.aggregate(ms=Sum("duration_ms"))["ms"] or 0
    return {name: round(value / done, 2) for name, value in {
        "feed_ms": 1000 * feed.seconds,
        "feed_statements": feed.statements,
        "job_ms": 1000 * fetch.seconds,
        "job_statements": fetch.statements,
        "job_database_ms": 1000 * fetch.database_seconds,
        "job_discogs_ms": answered,
    }.items()}  # fmt: skip


def main(jobs: int, *, profile: bool) -> dict[str, float]:
    if not profile:
        return work(jobs)
    profiler = cProfile.Profile()
    figures = profiler.runcall(work, jobs)
    pstats.Stats(profiler, stream=sys.stderr).sort_stats("cumulative").print_stats(60)
    return figures


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    sys.stdout.write(json.dumps(main(int(sys.argv[1]), profile="--profile" in sys.argv)))
