"""Locks held by another database connection, with a short lock time-out for the code under test."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection

WAITS = {"sqlite": "PRAGMA busy_timeout = 200", "postgresql": "SET lock_timeout = 200"}  # ms


@contextmanager
def locked(*tables: str) -> Iterator[None]:
    """Lock the tables: on PostgreSQL they cannot even be read; SQLite has one lock, which blocks every writer.

    Needs committed rows, so the test must use django_db(transaction=True).
    """
    with connection.cursor() as cursor:
        cursor.execute(WAITS[connection.vendor])
    try:
        with _another_connection() as other:
            if connection.vendor == "sqlite":
                other.execute("BEGIN EXCLUSIVE")
            else:
                other.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        connection.close()  # the next one waits as usual


@contextmanager
def _another_connection() -> Iterator[sqlite3.Connection | psycopg.Connection]:
    parts = connection.settings_dict
    if connection.vendor == "sqlite":
        other = sqlite3.connect(parts["NAME"], isolation_level=None)
    else:
        other = psycopg.connect(
            dbname=parts["NAME"], user=parts["USER"], host=parts["HOST"], port=parts["PORT"]
        )
    try:
        yield other
    finally:
        other.close()
