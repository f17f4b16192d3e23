"""Check that the database's migrations match this code. While they do not, the engine pauses.

Known migrations are read once, when the process starts: a deployment replaces the files, but not the code in memory.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from django.apps import apps
from django.db.migrations.recorder import MigrationRecorder

logger = logging.getLogger(__name__)

APPS = ("collections_app", "pricing", "django_q")  # the engine reads and writes their tables
CHECK_EVERY = 3.0  # seconds

Migration = tuple[str, str]  # app, name


class SchemaWatch:
    """Compares the migrations of the database with those of the code, at most every CHECK_EVERY seconds."""

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._known = known_migrations()
        self._checked_at: float | None = None
        self._mismatch = ""

    def mismatch(self) -> str:
        """What does not match and what to do, as text to show; empty if all matches."""
        if self._checked_at is None or self._steady() - self._checked_at >= CHECK_EVERY:
            before, self._mismatch = self._mismatch, self._compare()
            self._checked_at = self._steady()
            if self._mismatch != before:
                self._log()
        return self._mismatch

    def check_again(self) -> None:
        """Compare at the next call, however recent the last comparison is."""
        self._checked_at = None

    def _compare(self) -> str:
        rows = MigrationRecorder.Migration.objects.filter(app__in=APPS)
        return explain(known=self._known, applied=set(rows.values_list("app", "name")))

    def _log(self) -> None:
        if self._mismatch:
            logger.error("work is paused: %s", self._mismatch)
        else:
            logger.warning("work continues: the database matches this version again")


def known_migrations() -> set[Migration]:
    """The migrations on disk, by file name: importing them would slow the start of every process."""
    found = ((label, Path(apps.get_app_config(label).path) / "migrations") for label in APPS)
    return {(label, file.stem) for label, folder in found for file in folder.glob("[0-9]*.py")}


def explain(*, known: set[Migration], applied: set[Migration]) -> str:
    """What does not match and what to do; empty if the two are the same. Pure."""
    if newer := applied - known:
        return (
            f"The database was migrated by another version of this site ({_names(newer)}). Nothing is fetched "
            "until the versions match, and nothing is lost. Restart the site and run_workers with that version."
        )
    if missing := known - applied:
        return (
            f"The database lacks migrations of this version ({_names(missing)}). Nothing is fetched until they are "
            "applied, and nothing is lost. Run `manage.py migrate`; the workers then continue by themselves."
        )
    return ""


def _names(migrations: set[Migration]) -> str:
    names = [f"{app}.{name}" for app, name in sorted(migrations)]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


_watch: SchemaWatch | None = None


def watch() -> None:
    """Start the check in this process and in those it forks. Call once all apps are loaded."""
    global _watch  # noqa: PLW0603 one per process is the point
    _watch = SchemaWatch()


def check_again() -> None:
    """Compare again at the next call. For failed statements: the tables may have just changed."""
    if _watch:
        _watch.check_again()


def mismatch() -> str:
    """What does not match between the database and this process, and what to do; empty if all matches."""
    return _watch.mismatch() if _watch else ""
