"""Detect, for some microseconds, whether anything in the database may have changed."""

from django.db import connection


def data_version() -> object:
    """A value that differs from one read earlier by this process if any process has committed since.

    It may differ without a reason too: on a new connection, or because another database of the server was written to.
    """
    return _sqlite() if connection.vendor == "sqlite" else _postgresql()


def _sqlite() -> object:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA data_version")  # counts the commits of other connections
        (version,) = cursor.fetchone()
    own = connection.connection
    return own, version, own.total_changes  # in rows


def _postgresql() -> object:
    """The transactions that a statement would see: a commit ends one that this text names, or one after them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_snapshot()::text")
        return cursor.fetchone()
