"""The commands as an operator runs them: real processes, real workers, a strict Discogs."""

import json

import pytest

from collections_app.sandbox.server import SandboxServer
from pricing.models import PriceSnapshot
from tests.conftest import point_at

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

COUNTS = ("recorded", "reused", "none_for_sale", "blocked", "gone", "failed")


@pytest.fixture
def strict(settings):
    """60 requests per 6 s with real latency: what the limit is measured against."""
    with SandboxServer(limit=60, window=6, latency=(0.02, 0.06)) as server:
        point_at(settings, server, limit=60, window=6)
        yield server


@pytest.fixture
def discogs(strict, make_user, site) -> SandboxServer:
    """A user named `keeper` with 300 releases, connected and imported by command."""
    make_user("keeper")
    strict.add_user("keeper_at_discogs", "token-of-keeper", release_ids=[*range(1000, 1300), 1000])
    for release in range(1000, 1300):
        strict.set_market(release, lowest_price=f"{1 + release % 50}.{release % 100:02d}", num_for_sale=3)
    strict.set_market(1100, gone=True)
    strict.set_market(1101, blocked=True)
    strict.set_market(1102, lowest_price=None)
    connected = site.run("connect_discogs", "keeper", "--token-stdin", text="token-of-keeper\n")
    assert connected.returncode == 0, connected.stderr
    assert "token-of-keeper" not in connected.stdout + connected.stderr
    assert site.run("import_collection", "--user", "keeper", "--wait").returncode == 0
    strict.reset("stats")
    return strict


def cents(release: int) -> int:
    return 100 * (1 + release % 50) + release % 100


def test_sync_keeps_the_limit_and_reuses_prices(discogs, site):
    facts = site.run_json("sync_prices", "--user", "keeper", "--wait")
    assert (facts["total"], facts["failed"]) == (300, 0)
    assert (facts["recorded"], facts["gone"], facts["blocked"], facts["none_for_sale"]) == (297, 1, 1, 1)
    assert sum(facts[name] for name in COUNTS) == facts["total"]
    stats = discogs.stats()
    assert stats["refused"] == 0
    assert stats["most_in_window"] <= 60
    assert stats["accepted"] == facts["requests"] <= 1.05 * 300
    assert PriceSnapshot.objects.count() == 300

    value = site.run_json("collection_value", "--user", "keeper")
    expected = sum(cents(release) for release in range(1000, 1300) if release not in {1100, 1101, 1102})
    expected += cents(1000)  # the second copy
    assert value["estimated_value_minor"] == expected
    assert (value["instances"], value["releases"], value["priced"], value["unpriced"]) == (301, 300, 298, 3)

    again = site.run_json("sync_prices", "--user", "keeper", "--wait")
    assert (again["reused"], again["requests"]) == (300, 0)
    assert discogs.stats()["accepted"] == stats["accepted"]


def test_dry_run_fetches_nothing(discogs, site):
    plan = site.run_json("sync_prices", "--user", "keeper", "--dry-run")
    assert (plan["total"], plan["due"]) == (300, 300)
    assert discogs.stats()["accepted"] == 0


def test_timeout_is_status_3_and_keeps_results(discogs, site):
    # At 20 requests in 6 s the run takes 90 s: 30 s suffice for workers to start on a busy machine, but not to end it.
    words = ("sync_prices", "--user", "keeper", "--wait", "--timeout", "30", "--json")
    done = site.run(*words, DISCOGS_RATE_LIMIT="20")
    assert done.returncode == 3, done.stderr
    facts = json.loads(done.stdout)
    assert 0 < facts["recorded"] < 300
    assert PriceSnapshot.objects.count() >= facts["recorded"]


def test_failed_release_is_status_1(discogs, site):
    discogs.add_fault(path="/releases/1005", kind="status", status=422)
    done = site.run("sync_prices", "--release", "1005", "1006", "--wait", "--json")
    assert done.returncode == 1, done.stderr
    facts = json.loads(done.stdout)
    assert (facts["total"], facts["recorded"], facts["failed"]) == (2, 1, 1)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("sync_prices", "--user", "nobody"), "no user named"),
        (("sync_prices", "--release", "5"), "connect_discogs"),
        (("sync_prices", "--stale-after", "soon"), "not a duration"),
        (("sync_prices", "--force", "--stale-after", "6h"), "not allowed with"),
        (("collection_value", "--user", "nobody"), "no user named"),
        (("connect_discogs", "nobody", "--token-stdin"), "no user named"),
        (("import_collection", "--user", "nobody"), "connect_discogs"),
    ],
)
def test_wrong_usage_is_status_2_and_explained(site, make_user, sandbox, words, hint):
    done = site.run(*words)
    assert done.returncode == 2
    assert hint in done.stderr
    assert "Traceback" not in done.stderr
