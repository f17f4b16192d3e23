"""Imports from a sandbox that is as unkind as Discogs: odd rows and redirects."""

import pytest
from django.utils import timezone

from collections_app.importing.steps import import_step, start_import
from collections_app.models import CollectionInstance, ImportPass
from collections_app.sandbox.faults.odd import ODDITIES
from tests.pricing.engine import import_all

pytestmark = pytest.mark.django_db(transaction=True)

UNREADABLE = {"no_facts", "no_instance", "null_row"}
COPIES = "^/users/.*/folders/0/releases"


@pytest.fixture
def collector(make_collector, generous_sandbox):
    return make_collector(generous_sandbox, release_ids=[11, 12, 13, 14], wants=[12, 15])


@pytest.mark.parametrize("how", list(ODDITIES))
def test_odd_row_costs_at_most_itself(collector, generous_sandbox, how):
    generous_sandbox.add_fault(path=COPIES, kind="odd", releases={"12": how})
    import_all(collector)
    done = ImportPass.objects.get()
    assert (done.state, done.unread_count) == (ImportPass.State.COMPLETE, int(how in UNREADABLE))
    held = set(CollectionInstance.objects.values_list("release_id", flat=True))
    assert held == {11, 13, 14} | ({12} if how not in UNREADABLE else set())


def test_all_rows_may_be_odd(collector, generous_sandbox):
    odd = dict(zip(("11", "12", "13", "14"), ODDITIES, strict=False))
    generous_sandbox.add_fault(path="^/users/", kind="odd", releases=odd)
    import_all(collector)
    assert ImportPass.objects.get().state == ImportPass.State.COMPLETE
    assert CollectionInstance.objects.count() == 4


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("host", ["same", "foreign"])
def test_redirect_is_not_followed(collector, generous_sandbox, status, host):
    base = generous_sandbox.url if host == "same" else generous_sandbox.url.replace("127.0.0.1", "localhost")
    fault = {"kind": "redirect", "status": status, "location": f"{base}/releases/11"}
    generous_sandbox.add_fault(path="^/users/.*/folders$", times=1, **fault)
    import_pass = start_import(collector.discogs_connection, now=timezone.now())
    assert import_step(import_pass.pk, now=timezone.now()) == 2.0
    assert "/releases/{id}" not in generous_sandbox.stats()["routes"]
    import_pass.refresh_from_db()
    assert (import_pass.state, import_pass.attempts) == (ImportPass.State.RUNNING, 1)
