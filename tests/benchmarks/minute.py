"""Four minutes of the real window: 60 requests a minute."""

from tests.benchmarks.limit import share_of_limit
from tests.benchmarks.stage import Stage, better_database
from tests.benchmarks.table import Row, at_least, at_most, exactly, fact

LIMIT, WINDOW, LATENCY = 60, 60.0, "0.2-0.6"
RELEASES = 240


def run() -> list[Row]:
    database = better_database()
    with Stage(database, limit=LIMIT, window=WINDOW, latency=LATENCY) as stage:
        stage.add_collector("collector", first=1000, count=RELEASES)
        workers = stage.start_workers(clusters=2)
        finished = stage.await_run(stage.start_sync("collector"), within=400)
        stats = stage.stats()
        stage.stop_workers(workers)
    return [
        fact("database", database),
        exactly("refused (429)", stats["refused"], 0),
        at_most("most accepted in a window", stats["most_in_window"], LIMIT),
        exactly("requests for each release", stats["accepted"] / RELEASES, 1),
        exactly("releases lost", finished.lost, 0),
        at_least(
            "share of the limit used", share_of_limit(stats["times"], limit=LIMIT, window=WINDOW), 0.97, "%"
        ),
        fact("time", finished.seconds, "s"),
    ]
