"""System checks of files: those that other users may read are reported, with the command that corrects it."""

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core import checks

from config.umask import PRIVATE
from pricing.monitoring.file_checks import FILES

ROOT = Path(__file__).resolve().parents[3]
# Ends at once, so that SQLite does not delete -wal and -shm.
CONNECT = (
    "import os; from django.db import connection; "
    "connection.cursor().execute('CREATE TABLE note (text)'); os._exit(0)"
)


def warnings() -> dict[str, str]:
    found = checks.run_checks(tags=[FILES], include_deployment_checks=True)
    return {message.id.removeprefix("crateworth."): f"{message.msg} {message.hint}" for message in found}


@pytest.fixture
def database(settings, tmp_path, monkeypatch) -> Path:
    """A database of an older site, with the mode that a umask of 022 gave it."""
    tmp_path.chmod(0o700)
    file = tmp_path / "the site.sqlite3"
    shown = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file)}
    monkeypatch.setitem(settings.DATABASES, "default", shown)
    monkeypatch.setenv("ENV_FILE", str(tmp_path / "env"))
    for path in (file, Path(f"{file}-wal"), Path(f"{file}-shm"), tmp_path / "env"):
        path.touch(mode=0o600)
    return file


def test_check_accepts_private_files(database):
    assert warnings() == {}


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620, 0o602])
def test_check_reports_files_open_to_others(database, suffix, mode):
    file = Path(f"{database}{suffix}")
    file.chmod(mode)
    assert warnings()["W002"].endswith(f"Run: chmod 600 '{file}'")


def test_check_reports_env_file_open_to_others(database):
    env_file = database.parent / "env"
    env_file.chmod(0o644)
    assert f"chmod 600 {env_file}" in warnings()["W002"]


def test_check_ignores_env_file_that_is_a_device(database, monkeypatch):
    monkeypatch.setenv("ENV_FILE", os.devnull)
    assert warnings() == {}


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o702])
def test_check_reports_directory_open_to_all(database, mode):
    database.parent.chmod(mode)
    assert list(warnings()) == ["W003"]


def test_check_has_no_files_with_postgresql(settings, monkeypatch):
    monkeypatch.setenv("ENV_FILE", os.devnull)
    shown = {"ENGINE": "django.db.backends.postgresql", "NAME": "crateworth"}
    monkeypatch.setitem(settings.DATABASES, "default", shown)
    assert warnings() == {}


def run(tmp_path: Path, *words: str, umask: int = 0o022) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/new.sqlite3"},
        umask=umask,
        capture_output=True,
        text=True,
        check=True,
    )


def modes(directory: Path) -> set[str]:
    return {oct(stat.S_IMODE(file.stat().st_mode)) for file in directory.iterdir()}


def test_database_made_by_a_command_is_private(tmp_path):
    run(tmp_path, "manage.py", "shell", "-v0", "-c", CONNECT)
    assert modes(tmp_path) == {"0o600"}
    assert {file.suffix for file in tmp_path.iterdir()} == {".sqlite3", ".sqlite3-wal", ".sqlite3-shm"}


def test_database_of_another_server_is_private(tmp_path):
    run(tmp_path, "-c", "import config.wsgi; " + CONNECT)
    assert modes(tmp_path) == {"0o600"}


def test_umask_is_inherited_by_child_processes(tmp_path):
    child = "import os; os.execvp('sh', ['sh', '-c', 'umask'])"
    assert int(run(tmp_path, "manage.py", "shell", "-v0", "-c", child).stdout, 8) == PRIVATE


def test_new_wal_has_the_mode_of_its_database(tmp_path):
    """SQLite copies the mode of the database, so an older site needs the check: the umask alone does not help."""
    file = tmp_path / "new.sqlite3"
    sqlite3.connect(file).close()
    file.touch()
    file.chmod(0o644)
    run(tmp_path, "manage.py", "shell", "-v0", "-c", CONNECT)
    assert modes(tmp_path) == {"0o644"}
    told = run(tmp_path, "manage.py", "check", "--deploy", "--tag", FILES).stderr
    assert f"chmod 600 {file} {file}-wal {file}-shm" in told
