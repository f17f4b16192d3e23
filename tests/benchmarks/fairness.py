"""50 releases of one user while 10,000 of another are being fetched."""

import time

from tests.benchmarks.stage import Finished, Stage, better_database
from tests.benchmarks.table import Row, at_most, exactly, fact

LIMIT, WINDOW = 120, 6.0
MANY, FEW = 10_000, 50
CLUSTERS = 3


def run() -> list[Row]:
    database = better_database()
    alone = measured(database, others=0)
    beside = measured(database, others=MANY)
    return [
        fact("database", database),
        fact("time alone", alone.seconds, "s"),
        fact(f"time beside {MANY:,} releases", beside.seconds, "s"),
        at_most("time beside them / alone", beside.seconds / alone.seconds, 2),
        exactly("state of the run is finished", int(beside.state == "finished"), 1),
    ]


def measured(database: str, *, others: int) -> Finished:
    """The small run, a second after the large one."""
    with Stage(database, limit=LIMIT, window=WINDOW) as stage:
        stage.add_collector("few", first=1000, count=FEW)
        if others:
            stage.add_collector("many", first=200_000, count=others)
        stage.start_workers(clusters=CLUSTERS)
        if others:
            stage.start_sync("many")
            time.sleep(1)
        return stage.await_run(stage.start_sync("few"), within=120)
