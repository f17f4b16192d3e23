"""Imports of 5,000 and of 50,000 copies by the workers, without reaching the limit, on both databases."""

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psutil

from tests.benchmarks.stage import Stage, postgres_listens
from tests.benchmarks.table import Row, at_most, exactly, fact
from tests.processes import descendants

FEW, MANY = 5_000, 50_000
MEGABYTE = 1_000_000
NEWEST = (
    "SELECT state, requests, started_at, finished_at FROM collections_app_importpass ORDER BY id DESC LIMIT 1"
)
HELD = "SELECT count(*) FROM collections_app_collectioninstance WHERE removed_at IS NULL"


@dataclass(frozen=True)
class Cost:
    """The cost of an import: its seconds by the clock, without those in which the sandbox built its answers.

    The limit lets every request through at once. `peak`: bytes, the most that one process of the workers ever used.
    """

    own_seconds: float
    sandbox_seconds: float
    requests: int
    peak: int


def run() -> list[Row]:
    databases = ["sqlite", *(["postgresql"] if postgres_listens() else [])]
    return [row for database in databases for row in _measured(database)]


def _measured(database: str) -> list[Row]:
    with Stage(database, limit=100_000, window=6) as stage:
        for name, count in (("few", FEW), ("many", MANY)):
            stage.control("users", username=name, token=f"token-of-{name}", count=count)
            stage.python("tests.benchmarks.imports_inside", name, f"token-of-{name}")
        # As at a site: with DEBUG, Django keeps the text of thousands of statements.
        supervisor = stage.start_workers(clusters=1, DEBUG="0", SANDBOX="1")
        few = _import(stage, supervisor, "few")
        first, second = (_import(stage, supervisor, "many") for _ in range(2))
        copies = stage.sql(HELD)[0][0]
        stage.stop_workers(supervisor)
    return [
        exactly(f"{database}: copies imported", copies, FEW + MANY),
        at_most(f"{database}: requests for {MANY:,} copies", first.requests, 505),
        at_most(f"{database}: own time of the first import", first.own_seconds, 100, "s"),
        at_most(f"{database}: own time of one that changes nothing", second.own_seconds, 100, "s"),
        at_most(f"{database}: second / first", second.own_seconds / first.own_seconds, 0.8),
        fact(f"{database}: the sandbox's time in the first", first.sandbox_seconds, "s"),
        fact(f"{database}: peak memory of a process, {FEW:,} copies", few.peak / MEGABYTE, "MB"),
        fact(f"{database}: peak memory of a process, {MANY:,} copies", second.peak / MEGABYTE, "MB"),
        at_most(f"{database}: peak memory, {MANY:,} / {FEW:,} copies", second.peak / few.peak, 1.2),
    ]


def _import(stage: Stage, supervisor: psutil.Process, name: str) -> Cost:
    """Have the workers import a user's collection."""
    stage.control("reset", only=["stats"])
    started = stage.site.run("import_collection", "--user", name)
    assert started.returncode == 0, started.stderr
    while (row := stage.sql(NEWEST)[0])[0] == "running":
        time.sleep(1)
    state, requests, started_at, finished_at = row
    assert state == "complete", row
    sandbox = stage.stats()["seconds"]
    seconds = (_moment(finished_at) - _moment(started_at)).total_seconds()
    return Cost(
        seconds - sandbox, sandbox, requests, max(_peak(each.pid) for each in descendants(supervisor.pid))
    )


def _peak(pid: int) -> int:
    """The peak of a process's resident memory, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])


def _moment(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
