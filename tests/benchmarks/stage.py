"""The environment of a benchmark: its own database, a sandbox Discogs and the site's commands, as real processes."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import psutil
import psycopg
import requests

from tests.processes import Site, descendants, eventually

ROOT = Path(__file__).resolve().parent.parent.parent
POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres")
PORTS = range(8700, 8800)
RUN = "SELECT state, created_at, finished_at FROM pricing_syncrun WHERE id = "


@dataclass(frozen=True)
class Finished:
    """A sync run that has ended. `jobs` counts price jobs by state, those of every run."""

    seconds: float
    state: str
    jobs: dict[str, int]

    @property
    def lost(self) -> int:
        """Jobs that are not in a known state."""
        known = ("recorded", "none_for_sale", "blocked", "gone")
        return sum(count for state, count in self.jobs.items() if state not in known)


class Stage:
    """`with Stage(POSTGRES_OR_SQLITE, limit=60, window=6) as stage: …`; everything is removed afterwards.

    database: "postgresql" or "sqlite". latency: seconds as `discogs_sandbox --latency` takes them.
    """

    def __init__(self, database: str, *, limit: int, window: float, latency: str = "0") -> None:
        self._database = scratch_postgres() if database == "postgresql" else scratch_sqlite()
        self._sandbox = ("--limit", str(limit), "--window", str(window), "--latency", latency)
        self._control = requests.Session()  # its own connection, not one of those that are counted
        self._limits = {"DISCOGS_RATE_LIMIT": str(limit), "DISCOGS_RATE_WINDOW": str(window)}

    def __enter__(self) -> Self:
        self.database_url = self._database.__enter__()
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        addresses = {"DISCOGS_API_URL": self.url, "DISCOGS_WEB_URL": self.url}
        environment = {**os.environ, **addresses, **self._limits, "DATABASE_URL": self.database_url}
        self.site = Site(ROOT, {**environment, "DEBUG": "1", "LOG_LEVEL": "WARNING"})
        try:
            self.site.start("discogs_sandbox", "--port", str(port), *self._sandbox)
            migrated = self.site.run("migrate", "--verbosity", "0")
            assert migrated.returncode == 0, migrated.stderr
            eventually(lambda: answers(port), within=30, what="an answer of the sandbox")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._control.close()
        self.site.stop()
        self._database.__exit__(None, None, None)

    def python(self, module: str, *words: object, timeout: float = 600) -> Any:
        """Run a module that prints JSON, in the stage's environment; return the parsed output."""
        done = subprocess.run(
            [sys.executable, "-m", module, *map(str, words)],
            cwd=ROOT,
            env=self.site.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows, read over a separate connection, so that the query does not affect what is measured."""
        if self.database_url.startswith("sqlite"):
            with closing(sqlite3.connect(self.database_url.removeprefix("sqlite:///"), timeout=20)) as file:
                return file.execute(statement).fetchall()
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(statement).fetchall()

    def stats(self) -> dict[str, Any]:
        """The sandbox's counters, with the times of accepted requests."""
        found: dict[str, Any] = self._control.get(f"{self.url}/_sandbox/stats?times=1", timeout=30).json()
        return found

    def control(self, route: str, **body: Any) -> None:
        """Send a command to the sandbox."""
        self._control.post(f"{self.url}/_sandbox/{route}", json=body, timeout=30).raise_for_status()

    def add_collector(self, username: str, *, first: int, count: int) -> None:
        """Add a connected user who owns `count` releases from `first` on. This costs no counted request."""
        token = f"token-of-{username}"
        self.control("users", username=f"{username}_at_discogs", token=token, release_ids=[first])
        self.python("tests.benchmarks.seed", username, token, first, count)

    def start_workers(self, *, clusters: int, **extra: str) -> psutil.Process:
        """Start a supervisor with exactly this many one-worker clusters, and wait until they are idle.

        extra: environment variables of these processes.
        """
        number = {"PRICE_WORKERS_MIN": str(clusters), "PRICE_WORKERS_MAX": str(clusters)}
        started = self.site.start("run_workers", **number, **extra)
        process = psutil.Process(started.pid)
        eventually(lambda: len(descendants(process.pid)) > 4 * clusters, within=60, what="all clusters")
        eventually(lambda: is_at_rest(process, clusters=clusters), within=60, what="idle clusters")
        return process

    @staticmethod
    def stop_workers(process: psutil.Process) -> None:
        process.terminate()
        try:
            process.wait(40)
        except psutil.TimeoutExpired:
            return  # the stage kills it at its end

    def start_sync(self, username: str) -> int:
        """Start to fetch all prices of a user; return the run's id."""
        return int(self.site.run_json("sync_prices", "--user", username, "--force")["run"])

    def await_run(self, run: int, *, within: float) -> Finished:
        """Wait for the end of a run, polling four times a second."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            state, created_at, finished_at = self.sql(f"{RUN}{run}")[0]
            if finished_at is not None:
                return Finished(
                    (_moment(finished_at) - _moment(created_at)).total_seconds(), state, self.jobs()
                )
            time.sleep(0.25)
        raise AssertionError(f"run {run} did not end within {within} s: {self.jobs()}")

    def jobs(self) -> dict[str, int]:
        return dict(self.sql("SELECT state, count(*) FROM pricing_pricejob GROUP BY state"))


@contextmanager
def scratch_sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="crateworth-bench-") as directory:
        yield f"sqlite:///{directory}/bench.sqlite3"


@contextmanager
def scratch_postgres() -> Iterator[str]:
    name = f"crateworth_bench_{uuid4().hex[:12]}"
    with psycopg.connect(POSTGRES, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{POSTGRES.rpartition('/')[0]}/{name}"
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def postgres_listens() -> bool:
    try:
        psycopg.connect(POSTGRES, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def better_database() -> str:
    """PostgreSQL if a server is listening, otherwise SQLite."""
    return "postgresql" if postgres_listens() else "sqlite"


def free_port() -> int:
    for port in PORTS:
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no free port in {PORTS}")


def answers(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def is_at_rest(process: psutil.Process, *, clusters: int) -> bool:
    """Whether the processes have used little CPU time during one second."""
    before = cpu_seconds(process)
    time.sleep(1)
    return cpu_seconds(process) - before < 0.2 + 0.03 * clusters


def cpu_seconds(process: psutil.Process) -> float:
    total = 0.0
    for each in descendants(process.pid):
        try:
            used = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += used.user + used.system
    return total


def _moment(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
