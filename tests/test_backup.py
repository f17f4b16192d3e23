"""The documented backup of SQLite, run exactly as documented while another thread writes."""

import re
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

OPERATIONS = Path(__file__).resolve().parent.parent / "docs" / "operations.md"
MEGABYTES = 40
PAUSE = 0.02  # seconds between two writes: far more than ten a second


def documented(containing: str) -> str:
    """The code block that contains this text, from the section on backups."""
    section = OPERATIONS.read_text().split("\n## Backups\n")[1].split("\n## ")[0]
    blocks = re.findall(r"^```\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    return next(block for block in blocks if containing in block)


def shell(command: str, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-e", "-c", command],
        cwd=directory,
        text=True,
        capture_output=True,
        timeout=300,
        check=False,
    )


class Writer(threading.Thread):
    """Writes the same number into two tables, in one transaction each time, until stopped."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._stop_event = threading.Event()
        self.written = 0

    def run(self) -> None:
        with closing(sqlite3.connect(self._path, timeout=20, isolation_level=None)) as file:
            while not self._stop_event.wait(PAUSE):
                number = self.written + 1
                file.execute("BEGIN IMMEDIATE")
                file.execute("INSERT INTO first VALUES (?)", (number,))
                file.execute("UPDATE ballast SET bytes = randomblob(4000) WHERE id = ?", (number,))
                file.execute("INSERT INTO second VALUES (?)", (number,))
                file.execute("COMMIT")
                self.written = number

    def stop(self) -> None:
        self._stop_event.set()
        self.join()


@pytest.fixture
def site(tmp_path) -> Path:
    """A directory like the site's own, with a large database."""
    interpreter = tmp_path / ".venv" / "bin" / "python"
    interpreter.parent.mkdir(parents=True)
    interpreter.symlink_to(sys.executable)
    with closing(sqlite3.connect(tmp_path / "crateworth.sqlite3", isolation_level=None)) as file:
        file.execute("PRAGMA journal_mode=WAL")
        file.execute("PRAGMA synchronous=NORMAL")
        file.execute("CREATE TABLE first (number)")
        file.execute("CREATE TABLE second (number)")
        file.execute("CREATE TABLE ballast (id INTEGER PRIMARY KEY, bytes BLOB)")
        file.execute("BEGIN")
        rows = ((number,) for number in range(250 * MEGABYTES))
        file.executemany("INSERT INTO ballast VALUES (?, randomblob(4000))", rows)
        file.execute("COMMIT")
    return tmp_path


@pytest.fixture
def writer(site) -> Iterator[Writer]:
    thread = Writer(site / "crateworth.sqlite3")
    thread.start()
    yield thread
    thread.stop()


def numbers(path: Path, table: str) -> list[int]:
    with closing(sqlite3.connect(path)) as file:
        return [number for (number,) in file.execute(f"SELECT number FROM {table} ORDER BY number")]


def test_backup_under_writes_is_consistent(site, writer):
    before = writer.written
    done = shell(documented("VACUUM INTO"), site)
    after = writer.written
    assert (done.returncode, done.stderr) == (0, "")
    backup = site / "backup.sqlite3"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert shell(documented("integrity_check"), site).stdout == "ok\n"
    found = numbers(backup, "first")
    assert found == numbers(backup, "second") == list(range(1, len(found) + 1))
    assert before <= len(found) <= after + 1
    assert after > before  # the writer was not blocked


def test_backup_leaves_an_older_backup_alone(site):
    backup = site / "backup.sqlite3"
    backup.write_text("yesterday's backup")
    done = shell(documented("VACUUM INTO"), site)
    assert done.returncode != 0
    assert backup.read_text() == "yesterday's backup"


def test_backup_of_a_missing_database_fails(site):
    (site / "crateworth.sqlite3").unlink()
    assert shell(documented("VACUUM INTO"), site).returncode != 0
    assert not (site / "backup.sqlite3").exists()


def test_restore_returns_to_the_backup(site, writer):
    shell(documented("VACUUM INTO"), site)
    saved = numbers(site / "backup.sqlite3", "first")
    while writer.written <= len(saved) + 3:
        assert writer.is_alive()
    writer.stop()
    # A killed process leaves such a file; its pages are in no other file.
    shutil.copy(site / "crateworth.sqlite3", site / "crateworth.sqlite3-wal")
    steps = documented("before-restore").replace(".venv/bin/python manage.py migrate\n", "")
    assert shell(steps, site).returncode == 0
    assert numbers(site / "crateworth.sqlite3", "first") == saved
    assert (site / "before-restore" / "crateworth.sqlite3-wal").exists()
