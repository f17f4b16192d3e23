"""An import whose owner, worker or Discogs changes while it is under way."""

import threading
from dataclasses import replace

import pytest
from django.db import connection
from django.utils import timezone

from collections_app.connect import connect_with_token
from collections_app.importer import import_step, start_import
from collections_app.models import CollectionInstance, DiscogsConnection, ImportPass
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def collector(make_collector, generous_sandbox):
    return make_collector(generous_sandbox, count=40, wants=range(3000, 3025))


def change(sandbox, **fields):
    users = sandbox.world.users
    users["collector_at_discogs"] = replace(users["collector_at_discogs"], **fields)


def held(user):
    return CollectionInstance.objects.of(user.pk).held()


def go_on(walk: ImportPass) -> ImportPass:
    """Take the walk to its end."""
    while import_step(walk.pk, now=timezone.now()) is not None:
        pass
    return ImportPass.objects.get(pk=walk.pk)


def beside(work) -> threading.Thread:
    """Run something beside the test, on a connection of its own."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_whoever_reconnects_while_the_old_token_is_in_use_stays_connected(collector, generous_sandbox):
    walk = start_import(collector.discogs_connection, now=timezone.now())
    change(generous_sandbox, token="a-brand-new-token")
    generous_sandbox.add_fault(path="/users/", kind="slow", seconds=3.0, times=1)
    asked = generous_sandbox.stats()["accepted"]
    waits: list[float | None] = []
    step = beside(lambda: waits.append(import_step(walk.pk, now=timezone.now())))
    eventually(
        lambda: generous_sandbox.stats()["accepted"] > asked, within=30, what="the old token's request"
    )
    connect_with_token(collector, "a-brand-new-token", now=timezone.now())
    step.join(timeout=30)
    assert waits == [0.0]
    assert DiscogsConnection.objects.get().is_active
    assert go_on(walk).state == ImportPass.State.COMPLETE
    assert held(collector).count() == 40
