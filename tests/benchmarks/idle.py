"""`manage.py up` with nothing to do: processor time, memory, and the time from a click to the first price."""

import time
from pathlib import Path

import psutil

from tests.benchmarks.stage import Stage, answers, cpu_seconds, free_port, postgres_listens
from tests.benchmarks.table import Row, at_most, fact
from tests.processes import descendants, eventually

LIMIT, WINDOW, LATENCY = 60, 6.0, "0.02-0.06"
SETTLE, MEASURED = 30, 60  # seconds
CLICKS = 12
MAX_SHARE, MAX_MEMORY = 0.02, 300  # of a core, megabytes
KILOBYTE = 1024


def run() -> list[Row]:
    rows = measured("sqlite")
    if not postgres_listens():
        return [*rows, fact("PostgreSQL", "skipped: no server")]
    return rows + measured("postgresql")


def measured(database: str) -> list[Row]:
    with Stage(database, limit=LIMIT, window=WINDOW, latency=LATENCY) as stage:
        stage.add_collector("checks", first=1000, count=CLICKS)
        stage.add_collector("syncs", first=2000, count=1)
        site = start_site(stage)
        time.sleep(SETTLE)
        share = share_of_a_core(site)
        memory, processes = memory_of(site), len(descendants(site.pid))
        clicks = stage.python("tests.benchmarks.idle_clicks", 1000, CLICKS, "syncs")
        worked = memory_of(site)
        stage.stop_workers(site)
    return [
        share_row(database, share),
        at_most(f"{database}: memory (PSS)", memory, MAX_MEMORY, "MB"),
        fact(f"{database}: memory after {2 * CLICKS} clicks", worked, "MB"),
        fact(f"{database}: processes", processes),
        *(
            fact(f"{database}: {click}, {name}", seconds, "s")
            for click, figures in clicks.items()
            for name, seconds in figures.items()
        ),
    ]


def share_row(database: str, share: float) -> Row:
    figure = f"{database}: share of a core"
    if database == "sqlite":
        return at_most(figure, share, MAX_SHARE, "%")
    # Without a bound: each write to another database of the server is a reason to look for work.
    return fact(f"{figure}, without PostgreSQL's own", f"{share:.1%}")


def start_site(stage: Stage) -> psutil.Process:
    """`up` with the settings of a real site; Discogs is the stage's sandbox, outside what is measured."""
    port = free_port()
    started = stage.site.start("up", "--port", str(port), DEBUG="0", SANDBOX="1")
    eventually(lambda: answers(port), within=120, what="an answer of the site")
    return psutil.Process(started.pid)


def share_of_a_core(site: psutil.Process) -> float:
    before, started = cpu_seconds(site), time.monotonic()
    time.sleep(MEASURED)
    return (cpu_seconds(site) - before) / (time.monotonic() - started)


def memory_of(site: psutil.Process) -> float:
    """Megabytes of all processes; memory that several share is counted once (Linux)."""
    return sum(proportional_set(process.pid) for process in descendants(site.pid)) / KILOBYTE


def proportional_set(pid: int) -> int:
    """The kilobytes of a process, its share of shared pages included."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0  # it has ended
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
