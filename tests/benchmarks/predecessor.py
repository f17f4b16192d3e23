"""100 releases with this engine and with the predecessor's plan, against the same strict limit."""

import json
import time
from dataclasses import dataclass

from tests.benchmarks.stage import Stage, better_database
from tests.benchmarks.table import Row, at_most, exactly, fact

LIMIT, WINDOW, LATENCY = 60, 6.0, "0.02-0.06"
MINUTE = WINDOW / 60  # how long a minute lasts here
RELEASES, FIRST = 100, 1000
MAX_PASSES = 20
# Its recorded run of 100 releases with the limit enforced; see docs/performance.md.
RECORD_REQUESTS, RECORD_SECONDS = 2369, 545


@dataclass(frozen=True)
class Pass:
    requests: int
    refused: int
    saved: list[int]
    seconds: float


def run() -> list[Row]:
    with Stage(better_database(), limit=LIMIT, window=WINDOW, latency=LATENCY) as stage:
        stage.add_collector("collector", first=FIRST, count=RELEASES)
        workers = stage.start_workers(clusters=2)
        ours = stage.await_run(stage.start_sync("collector"), within=120)
        stats = stage.stats()
        stage.stop_workers(workers)
        passes = predecessor_passes(stage)
    sent = stats["accepted"] + stats["refused"]
    theirs, theirs_seconds = sum(each.requests for each in passes), sum(each.seconds for each in passes)
    first = passes[0]
    return [
        fact("ours: requests", sent),
        exactly("ours: refused", stats["refused"], 0),
        exactly("ours: releases lost", ours.lost, 0),
        fact("ours: time", ours.seconds, "s"),
        fact("plan, once: requests", first.requests),
        fact("plan, once: refused", first.refused),
        fact("plan, once: releases saved", len(first.saved)),
        fact("plan, once: time", first.seconds, "s"),
        fact(f"plan, until nothing is missing ({len(passes)} times): requests", theirs),
        fact(f"plan, until nothing is missing ({len(passes)} times): time", theirs_seconds, "s"),
        at_most("requests, ours / the plan's", sent / theirs, 0.25),
        at_most("time, ours / the plan's", ours.seconds / theirs_seconds, 0.25),
        at_most("requests, ours / its recorded run's", sent / RECORD_REQUESTS, 0.25),
        at_most("time, ours / its recorded run's", ours.seconds / (RECORD_SECONDS * MINUTE), 0.25),
    ]


def predecessor_passes(stage: Stage) -> list[Pass]:
    """Repeat the plan for unsaved releases, as its user would, until none is missing, starting in a new window."""
    time.sleep(WINDOW)
    stage.control("users", username="before", token="token-of-before", release_ids=[FIRST])
    missing = set(range(FIRST, FIRST + RELEASES))
    passes: list[Pass] = []
    while missing and len(passes) < MAX_PASSES:
        words = (stage.url, "token-of-before", json.dumps(sorted(missing)), MINUTE)
        passes.append(Pass(**stage.python("tests.benchmarks.predecessor_plan", *words)))
        missing -= set(passes[-1].saved)
    return passes
