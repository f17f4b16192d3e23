"""Releases per second without a limit, and whether a job costs more in a large run."""

from tests.benchmarks.stage import Stage, better_database
from tests.benchmarks.table import Row, at_least, at_most, exactly, fact

LIMIT, WINDOW = 6000, 6.0
SMALL, LARGE = 1_000, 10_000
CLUSTERS = 3
PROFILED = 300  # jobs
MIN_PER_SECOND = 50


def run() -> list[Row]:
    database = better_database()
    with Stage(database, limit=LIMIT, window=WINDOW) as stage:
        stage.add_collector("small", first=100_000, count=SMALL)
        stage.add_collector("large", first=200_000, count=LARGE)
        workers = stage.start_workers(clusters=CLUSTERS)
        small = stage.await_run(stage.start_sync("small"), within=120)
        large = stage.await_run(stage.start_sync("large"), within=900)
        stats = stage.stats()
        stage.stop_workers(workers)
        stage.add_collector("profiled", first=300_000, count=PROFILED)
        stage.start_sync("profiled")
        profile = stage.python("tests.benchmarks.job_profile", PROFILED)
    cost = (large.seconds / LARGE) / (small.seconds / SMALL)
    return [
        fact("database", database),
        fact("one-worker clusters", CLUSTERS),
        at_least(f"releases per second, {SMALL:,}", SMALL / small.seconds, MIN_PER_SECOND),
        at_least(f"releases per second, {LARGE:,}", LARGE / large.seconds, MIN_PER_SECOND),
        at_most("cost of a job, large run / small run", cost, 1.3),
        exactly("requests for each release", stats["accepted"] / (SMALL + LARGE), 1),
        exactly("releases lost", large.lost, 0),
        fact("one job in one process", profile["job_ms"], "ms"),
        fact("of that: waiting for the database", profile["job_database_ms"], "ms"),
        fact("of that: waiting for Discogs", profile["job_discogs_ms"], "ms"),
        fact("statements of a job", profile["job_statements"]),
        fact("feeding one job", profile["feed_ms"], "ms"),
    ]
