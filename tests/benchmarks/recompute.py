"""Computing three years of daily values again, from a reading of every release on every day: time and memory."""

from tests.benchmarks.stage import Stage, better_database
from tests.benchmarks.table import Row, at_most, exactly, fact

SIZES = (500, 2_000)  # copies
DAYS = 1_095
COPIES, MAX_SECONDS = 10_000, 600  # the time grows with copies times days
SECONDS = 3_600


def run() -> list[Row]:
    database = better_database()
    with Stage(database, limit=60, window=6) as stage:
        few, many = (
            stage.python(
                "tests.benchmarks.recompute_inside",
                f"of{copies}",
                copies * 100,
                copies,
                DAYS,
                timeout=SECONDS,
            )
            for copies in SIZES
        )
    return [
        fact("database", database),
        fact(f"{SIZES[1]:,} copies, {DAYS:,} days", many["seconds"], "s"),
        at_most(
            f"the same for {COPIES:,} copies, in proportion",
            many["seconds"] * COPIES / SIZES[1],
            MAX_SECONDS,
            "s",
        ),
        fact("memory", many["peak_mb"], "MB"),
        at_most(f"memory, {SIZES[1]:,} / {SIZES[0]:,} copies", many["peak_mb"] / few["peak_mb"], 1.2),
        exactly("stored days that differ once rebuilt", many["differences"], 0),
    ]
