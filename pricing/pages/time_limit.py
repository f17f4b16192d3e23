"""A time limit for database reads."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction

STEPS = 10_000  # of SQLite's virtual machine between two checks of the clock


class TookTooLong(Exception):
    """The database was stopped. Nothing was changed."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Stop reading after `seconds`: PostgreSQL each statement, SQLite all of them together. Raises TookTooLong."""
    started = time.monotonic()
    try:
        with _on_postgresql(seconds) if connection.vendor == "postgresql" else _on_sqlite(started + seconds):
            yield
    except OperationalError as error:
        # Another error of the database, such as a lost connection, does not wait for the limit.
        if time.monotonic() - started < seconds:
            raise
        raise TookTooLong from error


@contextmanager
def _on_postgresql(seconds: float) -> Iterator[None]:
    # The setting ends with the transaction, so it must be the outermost one.
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{round(seconds * 1000)}"])
        yield


@contextmanager
def _on_sqlite(deadline: float) -> Iterator[None]:
    """Without a transaction, which would lock out writers."""
    connection.ensure_connection()
    raw = connection.connection
    raw.set_progress_handler(lambda: time.monotonic() > deadline, STEPS)
    try:
        yield
    finally:
        raw.set_progress_handler(None, STEPS)
