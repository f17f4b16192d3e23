"""System checks: settings that would break the engine are refused, with the setting and what to write instead."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core import checks

from collections_app.discogs.client import DEADLINE
from collections_app.discogs.gate import PATIENCE
from pricing.monitoring.checks import min_retry

ROOT = Path(__file__).resolve().parents[3]
SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": "never-opened.sqlite3",
    "CONN_MAX_AGE": 600,
    "CONN_HEALTH_CHECKS": True,
    "OPTIONS": {"transaction_mode": "IMMEDIATE"},
}
POSTGRES = {**SQLITE, "ENGINE": "django.db.backends.postgresql", "OPTIONS": {}}


def complaints() -> dict[str, str]:
    """The messages of the engine's checks: {id: message and hint}."""
    found = checks.run_checks(tags=["engine"])
    return {message.id.removeprefix("crateworth."): f"{message.msg} {message.hint}" for message in found}


def test_checks_accept_the_shipped_settings():
    assert complaints() == {}


@pytest.mark.parametrize(
    ("number", "changed", "advice"),
    [
        ("E001", {"retry": 99}, "a retry above 99"),
        ("E001", {"retry": 60, "timeout": None}, "Set a timeout"),
        ("E002", {"queue_limit": 2, "retry": 200}, "Write 1"),
        ("E003", {"bulk": 10}, "Write 1"),
        ("E004", {"max_attempts": 0}, "Write 1"),
        ("E004", {"max_attempts": 3}, "Write 1"),
        ("E005", {"ack_failures": False}, "Write True"),
        ("E006", {"save_limit": 1001}, "such as 250"),
        ("E006", {"save_limit": 0}, "such as 250"),
        ("W001", {"broker_class": "django_q.brokers.orm.ORM"}, "pricing.sync.queue.OrderedBroker"),
    ],
)
def test_checks_refuse_unreliable_queue_settings(settings, number, changed, advice):
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, **changed}
    assert set(complaints()) == {number}
    assert f"Q_CLUSTER['{next(iter(changed))}']" in complaints()[number]
    assert advice in complaints()[number]


@pytest.mark.parametrize(
    "number",
    ["E001", "E004", "E005", "W001"],
)
def test_checks_use_the_queues_defaults(settings, number):
    settings.Q_CLUSTER = {"name": "crateworth", "orm": "default", "workers": 1}
    assert number in complaints()


@pytest.mark.parametrize(
    ("workers", "queue_limit", "timeout", "least"),
    [(1, 1, 30, 99), (2, 2, 30, 99), (1, 3, 60, 315), (4, 4, 27, 90)],
)
def test_min_retry_outlasts_the_longest_wait(workers, queue_limit, timeout, least):
    assert min_retry(workers=workers, queue_limit=queue_limit, timeout=timeout) == least


@pytest.mark.parametrize("backend", ["locmem.LocMemCache", "dummy.DummyCache"])
def test_check_cache_refuses_an_unshared_one(settings, backend):
    settings.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{backend}"}}
    assert set(complaints()) == {"E007"}
    assert "CACHES['default']" in complaints()["E007"]
    assert "DatabaseCache" in complaints()["E007"]


@pytest.mark.parametrize(
    ("database", "number", "says"),
    [
        ({**SQLITE, "OPTIONS": {}}, "E008", ("['transaction_mode']", "Write 'IMMEDIATE'")),
        ({**SQLITE, "OPTIONS": {"transaction_mode": "DEFERRED"}}, "E008", ("['transaction_mode']",)),
        ({**SQLITE, "CONN_MAX_AGE": 0}, "E009", ("['CONN_MAX_AGE']", "such as 600")),
        ({**POSTGRES, "CONN_MAX_AGE": 59}, "E009", ("['CONN_MAX_AGE']", "such as 600")),
        ({**POSTGRES, "CONN_HEALTH_CHECKS": False}, "E010", ("['CONN_HEALTH_CHECKS']", "Write True")),
        ({**POSTGRES, "OPTIONS": {"pool": True}}, "E011", ("['pool']", "Leave it out")),
    ],
    ids=str,
)
def test_check_database_refuses_unsafe_settings(settings, monkeypatch, database, number, says):
    monkeypatch.setitem(settings.DATABASES, "default", database)
    assert set(complaints()) == {number}
    assert all(words in complaints()[number] for words in says)


@pytest.mark.parametrize(
    ("database", "changed"), [(SQLITE, {}), (POSTGRES, {}), (POSTGRES, {"CONN_MAX_AGE": None})]
)
def test_check_database_accepts_persistence(settings, monkeypatch, database, changed):
    monkeypatch.setitem(settings.DATABASES, "default", {**database, **changed})
    assert complaints() == {}


@pytest.mark.parametrize(("seconds", "refused"), [(28, True), (29, False)])
def test_check_task_timeout_covers_a_request(settings, seconds, refused):
    assert PATIENCE + DEADLINE == 28
    settings.PRICE_TASK_TIMEOUT = seconds
    assert ("E012" in complaints()) is refused
    if refused:
        assert "PRICE_TASK_TIMEOUT" in complaints()["E012"]
        assert "Write 29 or more" in complaints()["E012"]


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("sqlite:////nonexistent/never-opened.sqlite3", True),
        ("postgres://nobody@127.0.0.1:1/never_opened", True),
        ("postgres://nobody@127.0.0.1:1/never_opened?pool=true", False),
    ],
)
def test_manage_check_covers_every_database(monkeypatch, url, clean):
    monkeypatch.setenv("DATABASE_URL", url)
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode == 0) is clean, done.stderr
    assert ("crateworth.E011" in done.stderr) is not clean
