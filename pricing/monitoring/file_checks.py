"""System checks: warn about files with secrets that other users of the machine may read or change."""

import os
import shlex
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register

FILES = "files"
OTHERS = stat.S_IRWXG | stat.S_IRWXO


@register(Tags.security, FILES, deploy=True)
def check_file_modes(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Check the database, which holds session keys, and .env, which holds all other keys.

    Warnings only: files created before the site set its own umask must not prevent it from starting.
    """
    return [*_exposed_files(), *_open_directories()]


def _exposed_files() -> Iterator[CheckMessage]:
    exposed = [file for file in (*_database_files(), _env_file()) if _mode(file) & OTHERS]
    if exposed:
        names = ", ".join(map(str, exposed))
        yield Warning(
            f"Other users of this machine may read or write {names}. A session key read from the database is enough "
            "to act as its user.",
            hint=f"Run: chmod 600 {shlex.join(map(str, exposed))}",
            id="crateworth.W002",
        )


def _open_directories() -> Iterator[CheckMessage]:
    """Check the directory: if every user may write to it, another user can replace a file or add one."""
    for directory in {file.parent for file in _database_files()[:1]}:
        if directory.is_dir() and directory.stat().st_mode & stat.S_IWOTH:
            yield Warning(
                f"Every user of this machine may write to {directory}, where the database is.",
                hint=f"Run: chmod o-w {shlex.quote(str(directory))}, or move the database.",
                id="crateworth.W003",
            )


def _database_files() -> list[Path]:
    database = settings.DATABASES["default"]
    name = str(database["NAME"])
    if not database["ENGINE"].endswith(".sqlite3") or name.startswith(("file:", ":memory:")):
        return []
    return [Path(f"{name}{suffix}") for suffix in ("", "-wal", "-shm", "-journal")]


def _env_file() -> Path:
    return Path(os.environ.get("ENV_FILE", Path(settings.BASE_DIR) / ".env"))


def _mode(file: Path) -> int:
    """The permissions of a regular file, 0 for anything else: ENV_FILE may be /dev/null."""
    try:
        found = file.stat().st_mode
    except OSError:
        return 0
    return stat.S_IMODE(found) if stat.S_ISREG(found) else 0
