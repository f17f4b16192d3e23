"""`python -m tests.benchmarks [NAME …] [--list] [--all]`: measure, and compare with bounds.

Without names: all except the slow ones. Exit status 1 if a bound is not met.
"""

import argparse
import importlib
import signal
import sys
import time
from types import FrameType

from tests.benchmarks.table import Row, drawn

BENCHMARKS = ("limit", "predecessor", "throughput", "fairness", "imports")
SLOW = ("minute", "memory", "refresh", "weights", "idle", "pages", "recompute")


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join((*BENCHMARKS, *SLOW)))
    parser.add_argument("--list", action="store_true", help="only list them")
    parser.add_argument("--all", action="store_true", help="the slow ones too")
    chosen = parser.parse_args(words)
    if unknown := set(chosen.names) - {*BENCHMARKS, *SLOW}:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    if chosen.list:
        return _print_list()
    names = chosen.names or (*BENCHMARKS, *(SLOW if chosen.all else ()))
    signal.signal(signal.SIGTERM, _stop)
    rows = [row for name in names for row in _measured(name)]
    missed = [row for row in rows if row.met is False]
    sys.stdout.write(f"{len(missed)} of {sum(row.met is not None for row in rows)} bounds not met.\n")
    return 1 if missed else 0


def _measured(name: str) -> list[Row]:
    """Run a benchmark, print its rows at once, and return them."""
    module = importlib.import_module(f"tests.benchmarks.{name}")
    started = time.monotonic()
    rows: list[Row] = module.run()
    heading = f"{name}: {(module.__doc__ or '').strip()} ({time.monotonic() - started:.0f} s)"
    sys.stdout.write(drawn(heading, rows) + "\n")
    sys.stdout.flush()
    return rows


def _print_list() -> int:
    for name in (*BENCHMARKS, *SLOW):
        doc = importlib.import_module(f"tests.benchmarks.{name}").__doc__ or ""
        sys.stdout.write(f"{name:<12} {doc.strip().splitlines()[0]}{' (slow)' if name in SLOW else ''}\n")
    return 0


def _stop(_number: int, _frame: FrameType | None) -> None:
    sys.exit(143)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
