"""`python -m tests.run [--one-by-one] [PATHS or options of pytest]`: run the tests on SQLite and PostgreSQL.

The two suites run side by side, because each waits more than it computes. The output of each goes to a file; a line
every half minute tells how far they are, and what failed is printed at the end. `--one-by-one` runs them in turn and
prints everything, for tests that measure time. Tests marked `long` run only when asked for: `make faults`. What a page
looks like in a browser does not depend on the database, so of the browser tests only those marked `journey` run in both
suites; the others run on SQLite. Tests that are named, by path or by `-m`, run on every database.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil
import psycopg

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres")
REPORT_EVERY = 30  # seconds
END_WITHIN = 30  # seconds from Ctrl-C; tests that started processes end them meanwhile
FAILED_PART = re.compile(r"^=+ (?:ERRORS|FAILURES|short test summary info) =+$", re.MULTILINE)
BROWSER_SUITE = "SQLite"  # it has all browser tests, because without them it ends first
ALL = "not long"
FEW_BROWSER = "not long and (not browser or journey)"
MAX_LINES = 400  # of a suite that ended without a list of failures


@dataclass
class Suite:
    """One run of pytest on one database, in a process group and a directory of its own."""

    name: str
    command: list[str]
    environment: dict[str, str]
    output: Path
    process: "subprocess.Popen[bytes] | None" = None

    def start(self, stdout: IO[bytes] | None) -> "subprocess.Popen[bytes]":
        self.process = subprocess.Popen(
            self.command,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT if stdout else None,
            start_new_session=True,  # Ctrl-C reaches it through `stop` only, once
        )
        return self.process

    @property
    def title(self) -> str:
        if FEW_BROWSER not in self.command:
            return self.name
        return f"{self.name} (of the browser tests only the journeys: the others run on {BROWSER_SUITE})"

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def has_passed(self) -> bool:
        return self.process is not None and self.process.returncode == 0

    def text(self) -> str:
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    def progress(self) -> str:
        """How far it is, and how many tests have failed so far."""
        text = FAILED_PART.split(self.text())[0]
        percent = (re.findall(r"\[ *(\d+)%\]", text) or ["0"])[-1]
        failed = sum(
            line.count("F") + line.count("E") for line in re.findall(r"^[.sxXFE]+(?= |$)", text, re.M)
        )
        state = f"{percent} %" if self.is_running else "ended"
        return f"{self.name} {state}{f', {failed} failed' if failed else ''}"

    def report(self) -> str:
        """What failed, and the last line; all of its end if pytest itself failed."""
        text = self.text().rstrip()
        last = text.rpartition("\n")[2]
        if self.has_passed:
            return f"\n=== {self.name}: {last}\n"
        found = FAILED_PART.search(text)
        detail = text[found.start() :] if found else "\n".join(text.splitlines()[-MAX_LINES:])
        return f"\n=== {self.name}: {last}\n{detail}\n=== End of {self.name}: {last}\n"

    def stop(self) -> None:
        """End the suite and all its processes. Fixtures have time to end theirs, which have sessions of their own."""
        if not self.is_running or self.process is None:
            return
        processes = _descendants(self.process.pid)
        self.process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(END_WITHIN)
        for process in [*processes, *_descendants(self.process.pid)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()  # psutil compares the start time, so a reused pid is safe
        self.process.wait()


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def postgres_listens() -> bool:
    try:
        psycopg.connect(POSTGRES.replace("postgres://", "postgresql://"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def databases() -> dict[str, dict[str, str]]:
    """The databases of this machine, each with the environment that selects it for a test run."""
    found: dict[str, dict[str, str]] = {"SQLite": {}}
    if postgres_listens():
        found["PostgreSQL"] = {"TEST_DATABASE_URL": POSTGRES}
    return found


def marks_of(name: str, words: list[str], names: Collection[str]) -> str:
    """The expression that selects the tests of a suite, or "" if the caller has chosen them by mark.

    Named tests are not divided: a browser test that is named runs on every database.
    """
    if "-m" in words:
        return ""
    is_divided = BROWSER_SUITE in names and name != BROWSER_SUITE and not _names_tests(words)
    return FEW_BROWSER if is_divided else ALL


def _names_tests(words: list[str]) -> bool:
    return any(word.rstrip("/") != "tests" and Path(word.partition("::")[0]).exists() for word in words)


def suites(words: list[str], directory: Path, found: dict[str, dict[str, str]]) -> list[Suite]:
    return [
        Suite(
            name,
            _command(name, marks_of(name, words, found), words),
            environment,
            directory / f"{name.lower()}.txt",
        )
        for name, environment in found.items()
    ]


def _command(name: str, marks: str, words: list[str]) -> list[str]:
    # pytest-playwright empties its output directory at the start, so the suites must not share one.
    output = f"--output=test-results/{name.lower()}"
    return [sys.executable, "-m", "pytest", output, *(["-m", marks] if marks else []), *words]


def say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def run_side_by_side(running: list[Suite]) -> None:
    for suite in running:
        say(f"=== Tests on {suite.title}; output in {suite.output}\n")
        with suite.output.open("wb") as file:
            suite.start(file)
    reported_at = time.monotonic()
    while any(suite.is_running for suite in running):
        time.sleep(0.5)
        if time.monotonic() - reported_at >= REPORT_EVERY:
            reported_at = time.monotonic()
            say("; ".join(suite.progress() for suite in running) + "\n")
    for suite in running:
        say(suite.report())


def run_one_by_one(running: list[Suite]) -> None:
    for suite in running:
        say(f"\n=== Tests on {suite.title}\n")
        suite.start(None).wait()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def run_all(words: list[str]) -> list[Suite]:
    """Run the suites to their end. Ctrl-C or SIGTERM ends both."""
    one_by_one = "--one-by-one" in words
    directory = Path(tempfile.mkdtemp(prefix="crateworth-results-"))
    running = suites([word for word in words if word != "--one-by-one"], directory, databases())
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        run_one_by_one(running) if one_by_one else run_side_by_side(running)
    except KeyboardInterrupt:
        for suite in running:
            suite.stop()
        say("\nInterrupted.\n")
        raise
    return running


def main(words: list[str]) -> int:
    try:
        done = run_all(words)
    except KeyboardInterrupt:
        return 130
    passed = all(suite.has_passed for suite in done)
    skipped = []
    if len(done) == 1:
        skipped.append("every test on PostgreSQL: none listens at 127.0.0.1:5432")
        passed = passed and os.environ.get("REQUIRE_POSTGRES") != "1"
    if shutil.which("chromium") is None:
        skipped.append("the browser tests: Chromium is not installed")
        passed = passed and os.environ.get("REQUIRE_CHROMIUM") != "1"
    say("\n" + "".join(f"Skipped {line}\n" for line in skipped))
    say("All tests passed.\n" if passed else "Some tests failed.\n")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
