"""Dashboard and collection of users with 1,000 to 50,000 copies and a reading of every release on every day."""

from typing import Any

from tests.benchmarks.stage import Stage, better_database
from tests.benchmarks.table import Row, at_most, exactly, fact

# Copies and days of history. Ten million rows take minutes to write, so the largest has a shorter history.
SIZES = {"postgresql": {1_000: 1_095, 10_000: 1_095, 50_000: 120}, "sqlite": {200: 1_095, 2_000: 1_095}}
MAX_MS = {50_000: 250}  # on a quiet machine
OTHERS_MAX_MS = 100
SECONDS = 3_600  # to fill and measure one size


def run() -> list[Row]:
    database = better_database()
    with Stage(database, limit=60, window=6) as stage:
        found = {
            copies: stage.python(
                "tests.benchmarks.pages_inside", f"of{copies}", copies * 100, copies, days, timeout=SECONDS
            )
            for copies, days in SIZES[database].items()
        }
        rows = [fact("database", database), *stored(stage, database)]
    few, *larger = found
    pages = [
        row
        for copies in larger
        for page in found[copies]
        for row in compared(page, copies, found[copies][page])
    ]
    return [
        *rows,
        *pages,
        *(same_queries(page, [found[copies][page] for copies in found]) for page in found[few]),
    ]


def stored(stage: Stage, database: str) -> list[Row]:
    if database != "postgresql":
        return []
    [(size,)] = stage.sql(
        "SELECT pg_total_relation_size('pricing_pricesnapshot')::float / count(*) FROM pricing_pricesnapshot"
    )
    return [fact("bytes of a snapshot with its index", size)]


def compared(page: str, copies: int, figures: dict[str, Any]) -> list[Row]:
    return [
        at_most(
            f"{page}, {copies:,} copies: p95", figures["p95_ms"], MAX_MS.get(copies, OTHERS_MAX_MS), "ms"
        ),
        fact(f"{page}, {copies:,} copies: median", figures["median_ms"], "ms"),
    ]


def same_queries(page: str, figures: list[dict[str, Any]]) -> Row:
    queries = [each["queries"] for each in figures]
    return exactly(f"{page}: most queries, as at the smallest size", max(queries), queries[0])
