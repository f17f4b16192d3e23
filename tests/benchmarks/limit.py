"""One limit for any number of workers: 60 requests in 6 s, 300 releases, answers after 20 to 60 ms."""

from dataclasses import dataclass

from tests.benchmarks.stage import Stage, postgres_listens
from tests.benchmarks.table import Row, at_least, at_most, exactly, fact

LIMIT, WINDOW, LATENCY = 60, 6.0, "0.02-0.06"
RELEASES = 300


@dataclass(frozen=True)
class Case:
    """`hosts` supervisors, each with `clusters` one-worker clusters."""

    name: str
    database: str
    hosts: int
    clusters: int


CASES = (
    Case("1 worker", "postgresql", 1, 1),
    Case("2 workers", "postgresql", 1, 2),
    Case("8 workers", "postgresql", 1, 8),
    Case("2 hosts", "postgresql", 2, 1),
    Case("SQLite", "sqlite", 1, 2),
)


@dataclass(frozen=True)
class Outcome:
    seconds: float
    rows: list[Row]


def run() -> list[Row]:
    rows: list[Row] = []
    seconds: dict[str, float] = {}
    cases = CASES if postgres_listens() else CASES[-1:]
    for case in cases:
        outcome = measured(case)
        seconds[case.name] = outcome.seconds
        rows += outcome.rows
    if "8 workers" not in seconds:
        return [*rows, fact("all other cases", "skipped: no PostgreSQL")]
    return [*rows, at_most("time with 8 workers / with 1", seconds["8 workers"] / seconds["1 worker"], 1.1)]


def measured(case: Case) -> Outcome:
    with Stage(case.database, limit=LIMIT, window=WINDOW, latency=LATENCY) as stage:
        stage.add_collector("collector", first=1000, count=RELEASES)
        hosts = [stage.start_workers(clusters=case.clusters) for _ in range(case.hosts)]
        finished = stage.await_run(stage.start_sync("collector"), within=180)
        stats = stage.stats()
        for host in hosts:
            stage.stop_workers(host)
    share = share_of_limit(stats["times"], limit=LIMIT, window=WINDOW)
    requests = (stats["accepted"] + stats["refused"]) / RELEASES
    rows = [
        exactly(f"{case.name}: refused (429)", stats["refused"], 0),
        at_most(f"{case.name}: most accepted in a window", stats["most_in_window"], LIMIT),
        exactly(f"{case.name}: requests for each release", requests, 1),
        exactly(f"{case.name}: releases lost", finished.lost, 0),
        at_least(f"{case.name}: share of the limit used", share, 0.93, "%"),
        fact(f"{case.name}: time", finished.seconds, "s"),
    ]
    return Outcome(finished.seconds, rows)


def share_of_limit(times: list[float], *, limit: int, window: float) -> float:
    """The share of the limit used in steady state.

    Measured from the middle of the first window over a whole number of limits: the burst at the start and the last,
    partly filled window depend on where the run begins and ends more than on the pace.
    """
    first = limit // 2
    whole = (len(times) - 1 - first) // limit * limit
    return whole / (times[first + whole] - times[first]) * window / limit
