"""5,000 jobs without reaching the limit: memory of the workers, and connections to Discogs."""

import time

import psutil

from tests.benchmarks.stage import Stage, better_database
from tests.benchmarks.table import Row, at_most, exactly, fact
from tests.processes import descendants

LIMIT, WINDOW = 6000, 6.0
EARLY, JOBS = 1_000, 5_000
CLUSTERS = 3
MEGABYTE = 1_000_000


def run() -> list[Row]:
    with Stage(better_database(), limit=LIMIT, window=WINDOW) as stage:
        stage.add_collector("collector", first=100_000, count=JOBS)
        supervisor = stage.start_workers(clusters=CLUSTERS)
        stage.control("reset", only=["stats"])
        sync = stage.start_sync("collector")
        early = memory_after(stage, supervisor, jobs=EARLY)
        finished = stage.await_run(sync, within=300)
        late = memory_after(stage, supervisor, jobs=JOBS)
        stats = stage.stats()
        workers = stage.sql("SELECT count(DISTINCT worker) FROM pricing_pricejob")[0][0]
        stage.stop_workers(supervisor)
    return [
        fact(f"memory of all processes after {EARLY:,} jobs", early / MEGABYTE, "MB"),
        fact(f"memory of all processes after {JOBS:,} jobs", late / MEGABYTE, "MB"),
        at_most("memory, late / early", late / early, 1.1),
        fact("worker processes, restarts included", workers),
        at_most("TCP connections, all in all", stats["connections"], workers),
        at_most("TCP connections for 100 requests", 100 * stats["connections"] / stats["accepted"], workers),
        exactly("requests for each release", stats["accepted"] / JOBS, 1),
        exactly("releases lost", finished.lost, 0),
    ]


def memory_after(stage: Stage, supervisor: psutil.Process, *, jobs: int) -> float:
    """Bytes used by the supervisor and its descendants after this many jobs have ended.

    The median of nine readings: a worker that restarts after its 500 tasks is missing for a moment.
    """
    while sum(stage.jobs().values()) - live(stage) < jobs:
        time.sleep(0.2)
    readings = []
    for _ in range(9):
        readings.append(resident(supervisor))
        time.sleep(0.1)
    return sorted(readings)[4]


def live(stage: Stage) -> int:
    return sum(n for state, n in stage.jobs().items() if state in ("due", "queued", "running", "waiting"))


def resident(supervisor: psutil.Process) -> float:
    total = 0.0
    for process in descendants(supervisor.pid):
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total
