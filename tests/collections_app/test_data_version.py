"""The data version: it changes whenever something was committed, by this process or by another one."""

import threading

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction

from collections_app.data_version import data_version

pytestmark = pytest.mark.django_db(transaction=True)


def write() -> None:
    get_user_model().objects.create_user(f"user{get_user_model().objects.count()}")


def in_another_connection(work) -> None:
    def run() -> None:
        work()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def is_the_same_after_reading() -> bool:
    before = data_version()
    in_another_connection(lambda: list(get_user_model().objects.all()))
    assert get_user_model().objects.count() == 1
    return data_version() == before


def test_version_is_the_same_without_a_write():
    write()
    # On PostgreSQL a write to another database of the server counts too, and may come between two calls.
    assert any(is_the_same_after_reading() for _ in range(50))


def test_version_changes_with_an_own_write():
    before = data_version()
    write()
    assert data_version() != before


def test_version_changes_with_anothers_write():
    for _ in range(3):
        before = data_version()
        in_another_connection(write)
        assert data_version() != before


def test_version_changes_at_the_commit():
    """What is not committed yet is not seen, so it is the commit that must change the version."""
    written, read = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with transaction.atomic():
            write()
            written.set()
            read.wait(10)
        connection.close()

    data_version()
    thread = threading.Thread(target=write_slowly)
    thread.start()
    assert written.wait(10)
    during = data_version()
    assert not get_user_model().objects.exists()
    read.set()
    thread.join()
    assert data_version() != during


def test_version_changes_with_the_connection():
    before = data_version()
    write()
    connection.close()
    assert data_version() != before
