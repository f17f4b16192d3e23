"""Dashboard and collection of a user with 10,000 copies and three years of history."""

from typing import Any

from tests.benchmarks.stage import Stage, better_database
from tests.benchmarks.table import Row, at_most, exactly, fact

FEW, MANY = 1_000, 10_000
MAX_MS = 100  # on a quiet machine


def run() -> list[Row]:
    database = better_database()
    with Stage(database, limit=60, window=6) as stage:
        few = stage.python("tests.benchmarks.pages_inside", "few", 1, FEW)
        many = stage.python("tests.benchmarks.pages_inside", "many", 1_000_000, MANY)
    rows = [fact("database", database)]
    return [*rows, *(row for page in few for row in compared(page, few[page], many[page]))]


def compared(page: str, few: dict[str, Any], many: dict[str, Any]) -> list[Row]:
    return [
        at_most(f"{page}, {MANY:,} copies: p95", many["p95_ms"], MAX_MS, "ms"),
        fact(f"{page}, {MANY:,} copies: median", many["median_ms"], "ms"),
        fact(f"{page}, {MANY:,} copies: first request", many["first_ms"], "ms"),
        fact(f"{page}, {FEW:,} copies: median", few["median_ms"], "ms"),
        exactly(f"{page}: queries at {MANY:,} copies, as at {FEW:,}", many["queries"], few["queries"]),
    ]
