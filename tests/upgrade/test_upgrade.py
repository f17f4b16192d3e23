"""An upgrade from a dump of an earlier version at work: nothing is lost, and its work goes on."""

from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone
from django_q.models import Failure, OrmQ

from pricing.models import CollectionValue, PriceJob, ReleasePrice, SyncRun
from pricing.sources import suggestions
from tests.pricing.conftest import plain_static_files
from tests.processes import eventually
from tests.upgrade import world
from tests.upgrade.dumps import Dump, migrate_to_newest

__all__ = ["plain_static_files"]

pytestmark = pytest.mark.django_db(transaction=True)

DUMPS = sorted(Path(__file__).parent.glob("*.json.gz"))
MAX_BYTES = 200_000
# Rows that a migration may move: from the table of a dump to one that the dump does not have.
MOVED = {"collections_app.Capability": "pricing.SourceAttempt"}
# Of its rows one number for each release is kept.
CONDENSED = {"pricing.PriceSuggestion"}


@pytest.fixture(params=DUMPS, ids=lambda path: path.name)
def upgraded(request) -> Dump:
    """The database of a dump, migrated to the newest version."""
    dump = Dump(request.param)
    try:
        dump.load()
    finally:
        migrate_to_newest()
    return dump


def run_of(username: str) -> SyncRun:
    return SyncRun.objects.get(user__username=username)


def is_over(username: str) -> bool:
    return run_of(username).state == SyncRun.State.FINISHED


def test_dump_is_small():
    assert DUMPS
    assert all(path.stat().st_size <= MAX_BYTES for path in DUMPS)


def test_upgrade_keeps_every_row(upgraded):
    kept = [label for label in upgraded.labels if label not in {*MOVED, *CONDENSED}]
    assert {label: upgraded.lost(label) for label in kept} == {label: [] for label in kept}


def test_upgrade_keeps_number_of_moved_rows(upgraded):
    installed = {model._meta.label: model for model in apps.get_models()}
    for old, new in MOVED.items():
        models = [installed[label] for label in (old, new) if label in installed]
        assert sum(model._base_manager.count() for model in models) == upgraded.count(old)


def test_upgrade_keeps_suggestions(upgraded):
    """1104 had one for Mint, of $40.00."""
    kept = ReleasePrice.objects.exclude(near_mint_minor=None)
    assert list(kept.values_list("pk", "near_mint_minor")) == [(1104, 3579)]


def test_upgrade_keeps_recorded_attempts(upgraded):
    """1101 failed an hour ago, 1102 had no suggestions this week, and the owner of 13xx was refused today."""
    assert sorted(suggestions.due_suggestions(50, timezone.now())) == [1103, 1105, 1201, 1202]


def test_upgrade_keeps_sessions(upgraded):
    session = apps.get_model("sessions.Session").objects.get()
    client = Client()
    client.cookies[django_settings.SESSION_COOKIE_NAME] = session.pk
    page = client.get("/dashboard/")
    assert (page.status_code, page.wsgi_request.user.get_username()) == (200, "anna")


@pytest.mark.processes
def test_upgrade_ends_runs_and_empties_queue(upgraded, generous_sandbox, site):
    world.fill(generous_sandbox)
    known = set(ReleasePrice.objects.exclude(pk=1112).values_list("pk", flat=True))
    old_rows = list(OrmQ.objects.values_list("pk", flat=True))
    assert len(old_rows) > 8
    site.start("run_workers")
    eventually(lambda: is_over("anna") and is_over("ben"), within=120, what="the runs end")
    eventually(lambda: not OrmQ.objects.filter(pk__in=old_rows).exists(), within=120, what="old rows go")
    assert not Failure.objects.exists(), Failure.objects.values_list("func", "result")
    for username in ("anna", "ben"):
        assert value_of(site, username) == world.total_minor(username)
    assert run_of("cora").state == SyncRun.State.PAUSED
    fetched = generous_sandbox.stats()["per_release"]["releases"]
    assert not known & {int(release) for release in fetched}  # what was fetched before the upgrade was kept
    resume(run_of("cora"))
    eventually(lambda: is_over("cora"), within=60, what="the resumed run ends")
    assert value_of(site, "cora") == world.total_minor("cora")
    # The copy that was removed before the dump stays out of the value, and in its days.
    assert value_of(site, "dora") == world.total_minor("dora") - world.price_minor(1304)
    assert CollectionValue.objects.filter(user__username="dora").count() >= 10
    assert not PriceJob.objects.live().exists()
    assert not Failure.objects.exists()


def value_of(site, username: str) -> int:
    return site.run_json("collection_value", "--user", username)["estimated_value_minor"]


def resume(run: SyncRun) -> None:
    client = Client()
    client.force_login(get_user_model().objects.get(pk=run.user_id))
    assert client.post(f"/syncs/{run.pk}/resume/").status_code == 302
