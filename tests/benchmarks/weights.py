"""The nightly pass over 500,000 releases, 1,000,000 holdings and 2,000 users: its time and memory."""

from tests.benchmarks.stage import Stage, better_database
from tests.benchmarks.table import Row, at_most, fact

RELEASES, USERS, HOLDINGS = 500_000, 2_000, 1_000_000
MAX_SECONDS, MAX_MB = 300, 300


def run() -> list[Row]:
    database = better_database()
    with Stage(database, limit=60, window=60) as stage:
        found = stage.python("tests.benchmarks.weights_inside", RELEASES, USERS, HOLDINGS, timeout=3_000)
    return [
        fact("database", database),
        at_most("first pass, which writes every release", found["first_seconds"], MAX_SECONDS, "s"),
        at_most("second pass, after a day", found["second_seconds"], MAX_SECONDS, "s"),
        at_most("memory", found["peak_mb"], MAX_MB, "MB"),
        fact("longest step", found["longest_step"], "s"),
        fact("releases with a weight", found["weighted"]),
        fact("threshold", found["threshold"]),
    ]
