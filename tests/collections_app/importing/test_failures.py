"""An import whose owner, worker or Discogs changes while it is under way."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from collections_app.connections.connect import connect_with_token
from collections_app.connections.credentials import credentials_of
from collections_app.discogs.client import DiscogsClient
from collections_app.importing.steps import idle_imports, import_step, start_import
from collections_app.models import ApiGate, CollectionInstance, DiscogsConnection, Folder, ImportPass
from pricing.models import SyncRun
from pricing.sync import runs
from tests.pricing.engine import advance_runs
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


def go_on(import_pass: ImportPass) -> ImportPass:
    """Take the import pass to its end."""
    while import_step(import_pass.pk, now=timezone.now()) is not None:
        pass
    return ImportPass.objects.get(pk=import_pass.pk)


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


def test_reconnect_outlasts_the_old_token(collector, generous_sandbox):
    import_pass = start_import(collector.discogs_connection, now=timezone.now())
    change(generous_sandbox, token="a-brand-new-token")
    generous_sandbox.add_fault(path="/users/", kind="slow", seconds=3.0, times=1)
    asked = generous_sandbox.stats()["accepted"]
    waits: list[float | None] = []
    step = beside(lambda: waits.append(import_step(import_pass.pk, now=timezone.now())))
    eventually(
        lambda: generous_sandbox.stats()["accepted"] > asked, within=30, what="the old token's request"
    )
    connect_with_token(collector, "a-brand-new-token", now=timezone.now())
    step.join(timeout=30)
    assert waits == [0.0]
    assert DiscogsConnection.objects.get().is_active
    assert go_on(import_pass).state == ImportPass.State.COMPLETE
    assert held(collector).count() == 40


def test_renamed_account_is_followed_by_its_id(collector, generous_sandbox):
    go_on(start_import(collector.discogs_connection, now=timezone.now()))
    ours = set(held(collector).values_list("instance_id", flat=True))
    generous_sandbox.world.rename_user("collector_at_discogs", "renamed_there")
    generous_sandbox.add_user("collector_at_discogs", "token-of-a-stranger", release_ids=range(4500, 4540))
    import_pass = go_on(start_import(collector.discogs_connection, now=timezone.now()))
    assert (import_pass.state, import_pass.requests) == (
        ImportPass.State.COMPLETE,
        2 + 4,
    )  # folders twice, who we are once
    assert DiscogsConnection.objects.get().discogs_username == "renamed_there"
    assert set(held(collector).values_list("instance_id", flat=True)) == ours


def test_token_of_another_account_reads_nothing(collector, generous_sandbox):
    change(generous_sandbox, token=None)
    generous_sandbox.add_user("stranger", "token-of-collector")
    import_pass = go_on(start_import(collector.discogs_connection, now=timezone.now()))
    assert import_pass.state == ImportPass.State.FAILED
    assert DiscogsConnection.objects.get().state == DiscogsConnection.State.RECONNECT_NEEDED
    assert not held(collector).exists()


def test_owner_limited_to_folder_0_is_read(collector, generous_sandbox):
    folders = '{"folders": [{"id": 0, "name": "All", "count": 40}]}'
    generous_sandbox.add_fault(path="^/users/.*/folders$", kind="body", body=folders)
    import_pass = go_on(start_import(collector.discogs_connection, now=timezone.now()))
    assert (import_pass.state, import_pass.requests) == (ImportPass.State.COMPLETE, 4 + 1)
    assert held(collector).count() == 40


def test_requests_of_a_refused_import_are_counted(collector, generous_sandbox):
    change(generous_sandbox, token="a-brand-new-token")
    import_pass = go_on(start_import(collector.discogs_connection, now=timezone.now()))
    assert (import_pass.state, import_pass.requests) == (ImportPass.State.FAILED, 2)


def test_copy_in_a_new_folder_follows_next_time(collector, generous_sandbox):
    go_on(start_import(collector.discogs_connection, now=timezone.now()))
    import_pass = start_import(collector.discogs_connection, now=timezone.now())
    import_step(import_pass.pk, now=timezone.now())
    first, *others = generous_sandbox.world.users["collector_at_discogs"].copies
    folders = {1: "Uncategorized", 7: "For sale"}
    change(generous_sandbox, folders=folders, copies=(replace(first, folder_id=7), *others))
    import_pass = go_on(import_pass)
    copy = held(collector).get(instance_id=first.instance_id)
    assert (copy.folder.name, import_pass.state) == ("Uncategorized", ImportPass.State.COMPLETE)
    assert not import_pass.instances_consistent
    import_pass = go_on(start_import(collector.discogs_connection, now=timezone.now()))
    copy.refresh_from_db()
    assert (copy.folder.name, import_pass.instances_consistent) == ("For sale", True)


# Outages and crashes --------------------------------------------------------------------------------


def pass_on(import_pass: ImportPass, *, now: datetime, seconds: float) -> datetime:
    """Take the next steps until they are over or `seconds` have passed; returns what time it is then.

    The gate keeps the database's time, so what it waits for comes nearer by as much.
    """
    end = now + timedelta(seconds=seconds)
    while now < end and (wait := import_step(import_pass.pk, now=now)) is not None:
        now += timedelta(seconds=wait)
        ApiGate.objects.update(open_until=F("open_until") - wait)
    return now


@pytest.fixture
def long_minutes(settings):
    """As many seconds as Discogs' own: the gate is closed for longer than a step waits."""
    settings.DISCOGS_RATE_WINDOW = 60


def test_ten_minute_outage_is_waited_out(make_collector, generous_sandbox, long_minutes):
    user, now = make_collector(generous_sandbox, "large", count=450), timezone.now()
    import_pass = start_import(user.discogs_connection, now=now)
    for _ in range(4):
        import_step(import_pass.pk, now=now)
    generous_sandbox.add_fault(path="/", kind="status", status=503)
    now = pass_on(import_pass, now=now, seconds=600)
    import_pass.refresh_from_db()
    assert (import_pass.state, import_pass.stage, import_pass.next_page) == (
        ImportPass.State.RUNNING,
        "instances",
        3,
    )
    assert import_pass.attempts < 5
    generous_sandbox.clear_faults()
    generous_sandbox.reset("stats")
    pass_on(import_pass, now=now, seconds=1800)
    import_pass.refresh_from_db()
    assert (import_pass.state, import_pass.instances_seen) == (ImportPass.State.COMPLETE, 450)
    assert generous_sandbox.stats()["accepted"] == 3 + 1  # the pages from the third on, and the wantlist


def test_page_failing_five_times_ends_the_import(collector, generous_sandbox):
    generous_sandbox.add_fault(path="^/users/.*releases", kind="status", status=500)
    now = timezone.now()
    import_pass = start_import(collector.discogs_connection, now=now)
    while (wait := import_step(import_pass.pk, now=now)) is not None:
        now += timedelta(seconds=wait)
        DiscogsClient(credentials_of(collector.discogs_connection)).identity()
    import_pass.refresh_from_db()
    assert (import_pass.state, import_pass.requests) == (ImportPass.State.FAILED, 2 + 5)
    assert import_pass.error.endswith("(500). What was read so far is kept. Sync again later.")


def test_day_long_outage_ends_the_import(collector, generous_sandbox, long_minutes):
    generous_sandbox.add_fault(path="/", kind="status", status=503)
    now = timezone.now()
    import_pass = start_import(collector.discogs_connection, now=now - timedelta(hours=24))
    pass_on(import_pass, now=now, seconds=7200)
    import_pass.refresh_from_db()
    assert import_pass.state == ImportPass.State.FAILED


class LostStep(Exception):
    """What ends a step as a mistake of ours, or a killed worker, would."""


@contextmanager
def lost_steps() -> Iterator[None]:
    """Every step is lost when it has its answer, before anything of it is stored."""

    def lose(execute, sql, params, many, context):
        if sql.startswith("INSERT") and Folder._meta.db_table in sql:
            raise LostStep
        return execute(sql, params, many, context)

    with connection.execute_wrapper(lose):
        yield


def test_step_lost_repeatedly_ends_the_import(client, collector, generous_sandbox):
    run = runs.start_sync(collector, trigger=SyncRun.Trigger.CLICK, now=timezone.now())
    now, pass_id = timezone.now(), run.import_pass_id
    generous_sandbox.reset("stats")
    with lost_steps():
        for _ in range(5):
            with pytest.raises(LostStep):
                import_step(pass_id, now=now)
            now += timedelta(seconds=41)
            assert idle_imports(now=now) == [pass_id]
        assert import_step(pass_id, now=now) is None
    assert generous_sandbox.stats()["accepted"] == 5
    assert ImportPass.objects.get().state == ImportPass.State.FAILED
    advance_runs(now=now)
    client.force_login(collector)
    html = client.get(f"/syncs/{run.pk}/").content.decode()
    assert (
        "Reading the collection broke off five times at the same place. What was read so far is kept." in html
    )


def test_waiting_import_uses_no_attempt(collector, generous_sandbox):
    now = timezone.now()
    import_pass = start_import(collector.discogs_connection, now=now)
    generous_sandbox.add_fault(
        path="/users/", kind="status", status=429, headers={"Retry-After": "1"}, times=1
    )
    assert import_step(import_pass.pk, now=now) == 1.0
    import_pass.refresh_from_db()
    assert import_pass.attempts == 0
    generous_sandbox.add_fault(path="/users/", kind="html", times=1)
    ApiGate.objects.all().delete()
    assert import_step(import_pass.pk, now=now) == 2.0
    assert import_step(import_pass.pk, now=now) == 0.0
    import_pass.refresh_from_db()
    assert import_pass.attempts == 0
