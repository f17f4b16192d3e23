"""A client that requests its export and stops reading it."""

import importlib
import socket
import sqlite3
import time

import pytest
from django.conf import settings as project
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.cache import cache
from django.db import connection

from collections_app.models import CollectionInstance
from tests import factories as make
from tests.processes import eventually
from tests.security.clients import connect, free_port, request, seconds_until_answered

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

ONE_THREAD = {"WEB_PROCESSES": "1", "WEB_THREADS": "1", "WEB_SEND_TIMEOUT": "2"}


@pytest.fixture
def user():
    """A user whose export is 16 MB: more than the sockets on both sides hold."""
    owned = make.make_connection()
    notes = "x" * 100_000
    for _ in range(160):
        make.make_copy(owned, make.make_release(), notes=notes)
    return owned.user


def begin_export(port: int, user):
    """Open a connection that starts to receive the export and then stops reading."""
    session = importlib.import_module(project.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = project.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    cookie = f"Cookie: {project.SESSION_COOKIE_NAME}={session.session_key}\r\n".encode()
    client = connect(port, request("/export/", fields=cookie), window=2048)
    client.settimeout(60)
    assert client.recv(15) == b"HTTP/1.1 200 OK"
    return client


def snapshot_is_open() -> bool:
    """Whether another connection still reads an old snapshot of the database."""
    if connection.vendor == "sqlite":
        # Adds to the WAL something that an open snapshot does not contain.
        CollectionInstance.objects.update(rating=1)
        with sqlite3.connect(connection.settings_dict["NAME"], timeout=0.2) as other:
            busy, in_wal, _ = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        other.close()
        return bool(busy or in_wal)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%%' "
            "AND datname = current_database() AND pid != pg_backend_pid()"
        )
        return bool(cursor.fetchone()[0])


def place_is_taken(user) -> bool:
    return bool(cache.get(f"export:{user.pk}"))


def test_unread_export_is_ended(site, user):
    """The export is larger than the buffer, so its thread waits for the client."""
    port = free_port()
    site.start("run_web", "--port", str(port), WEB_BUFFER_MB="1", **ONE_THREAD)
    seconds_until_answered(port, limit=60)
    began = time.monotonic()
    with begin_export(port, user):
        assert place_is_taken(user)
        assert seconds_until_answered(port, limit=25) < 25  # the only thread is free
        assert time.monotonic() - began > 1.5  # and was not before
        assert not place_is_taken(user)
        eventually(lambda: not snapshot_is_open(), within=5, what="the end of the snapshot")


def test_buffered_export_needs_no_thread(site, user):
    port = free_port()
    site.start("run_web", "--port", str(port), **{**ONE_THREAD, "WEB_SEND_TIMEOUT": "600"})
    seconds_until_answered(port, limit=60)
    with begin_export(port, user) as client:
        assert seconds_until_answered(port, limit=25) < 25
        assert not place_is_taken(user)
        eventually(lambda: not snapshot_is_open(), within=5, what="the end of the snapshot")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        answer = bytearray()
        while piece := client.recv(1 << 20):
            answer += piece
    assert len(answer) > 16_000_000
    assert b'"complete": true' in answer[-60:]
