"""Fixtures for every test: a sandbox Discogs, users, and worker processes on the test's own database."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test import TransactionTestCase
from django.utils import timezone

from collections_app.connections.connect import connect_with_token
from collections_app.sandbox.access.auth import CONSUMER_KEY, CONSUMER_SECRET
from collections_app.sandbox.server import SandboxServer
from tests.processes import Site

# No deadline: test machines share their cores, so the time of an example proves nothing. The examples are the same in
# each run, so that results are reproducible; EXPLORE=1 searches for new ones.
hypothesis.settings.register_profile(
    "shared",
    deadline=None,
    derandomize=os.environ.get("EXPLORE") != "1",
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("shared")

ROOT = Path(__file__).resolve().parent.parent
CACHE_TABLE = "cache"
# `migrate` has written these for all models; they are the same in every test.
KEPT_TABLES = {"django_content_type", "auth_permission"}


def delete_all_rows(_: TransactionTestCase) -> None:
    """Empty the tables after a test that has committed.

    Django truncates them and writes content types and permissions again: 0.2 to 1.5 s on PostgreSQL, 0.1 s on SQLite.
    Deleting a test's few rows takes milliseconds. Foreign keys are checked at the end of the transaction. The cache,
    which has no model, is emptied too: its counts would limit later tests.
    """
    tables = {
        CACHE_TABLE,
        *connection.introspection.django_table_names(only_existing=True, include_views=False),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        for table in sorted(tables - KEPT_TABLES):
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")


TransactionTestCase._fixture_teardown = delete_all_rows


@pytest.fixture(autouse=True)
def quick_passwords(settings) -> None:
    """Use a fast hash: many tests would otherwise spend most of their time on a hash that is slow on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def new_worker_process(monkeypatch) -> None:
    """Forget the gate and the connections that a worker process keeps, so that each test starts with a new worker."""
    monkeypatch.setattr("pricing.tasks._process", None)
    monkeypatch.setattr("collections_app.discogs.process._process", None)


@pytest.fixture
def sandbox(settings) -> Iterator[SandboxServer]:
    """A strict sandbox Discogs, 60 requests per 6 s, used by the site under test."""
    with SandboxServer(limit=60, window=6) as server:
        point_at(settings, server, limit=60, window=6)
        yield server


@pytest.fixture
def generous_sandbox(settings) -> Iterator[SandboxServer]:
    """A sandbox whose limit is never reached, for tests that are not about the limit."""
    with SandboxServer(limit=100_000, window=6) as server:
        point_at(settings, server, limit=100_000, window=6)
        yield server


def point_at(settings, server: SandboxServer, *, limit: int, window: float) -> None:
    settings.DISCOGS_API_URL = settings.DISCOGS_WEB_URL = server.url
    settings.DISCOGS_RATE_LIMIT = settings.PRICE_WORKER_RATE_LIMIT = limit
    settings.DISCOGS_RATE_WINDOW = window


@pytest.fixture
def registered_site(settings) -> None:
    """The site has a consumer key at the sandbox, so it offers OAuth."""
    settings.DISCOGS_CONSUMER_KEY, settings.DISCOGS_CONSUMER_SECRET = CONSUMER_KEY, CONSUMER_SECRET


@pytest.fixture
def make_user(db) -> Callable[..., object]:
    """Make a user who can log in at once: the email address is confirmed."""

    def make(username: str = "collector", **extra: object) -> object:
        user = get_user_model().objects.create_user(
            username, f"{username}@example.org", "a-long-password", **extra
        )
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user

    return make


@pytest.fixture
def make_staff(make_user) -> Callable[..., object]:
    """Make a superuser with two-factor login, which is required for staff."""

    def make(username: str = "staff", **extra: object) -> object:
        user = make_user(username, **{"is_staff": True, "is_superuser": True, **extra})
        TOTP.activate(user, generate_totp_secret())
        RecoveryCodes.activate(user)
        return user

    return make


@pytest.fixture
def make_collector(make_user) -> Callable[..., object]:
    """Make a user connected to a sandbox account with `count` releases (or the given ones)."""

    def make(server: SandboxServer, username: str = "collector", **collection: object) -> object:
        user = make_user(username)
        server.add_user(f"{username}_at_discogs", f"token-of-{username}", **collection)
        connect_with_token(user, f"token-of-{username}", now=timezone.now())
        return user

    return make


@pytest.fixture
def site(transactional_db, settings) -> Iterator[Site]:
    """The site as real processes: commands and workers on the test database."""
    running = Site(ROOT, process_environment(settings))
    yield running
    running.stop()


def process_environment(settings) -> dict[str, str]:
    name = str(connection.settings_dict["NAME"])
    url = f"sqlite:///{name}" if connection.vendor == "sqlite" else _postgres_url(name)
    shared = ("DISCOGS_API_URL", "DISCOGS_WEB_URL", "DISCOGS_RATE_LIMIT", "DISCOGS_RATE_WINDOW")
    return {**os.environ, "DATABASE_URL": url, **{key: str(getattr(settings, key)) for key in shared}}


def _postgres_url(name: str) -> str:
    parts = connection.settings_dict
    return f"postgres://{parts['USER']}@{parts['HOST']}:{parts['PORT']}/{name}"
