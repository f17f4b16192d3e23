"""Import passes through a collection, page by page, against the sandbox."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models.signals import post_save
from django.utils import timezone

from collections_app.connections.connect import disconnect
from collections_app.importing.steps import ConnectionErased, idle_imports, import_step, start_import
from collections_app.models import CollectionInstance, DiscogsConnection, Folder, ImportPass, Release
from tests.pricing.engine import import_all

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def collector(make_collector, generous_sandbox):
    return make_collector(generous_sandbox, count=250)


def held(user):
    return CollectionInstance.objects.of(user.pk).held()


def test_every_copy_of_a_release_is_kept(make_collector, generous_sandbox):
    user = make_collector(generous_sandbox, release_ids=[5, 5, 5, 9])
    import_all(user)
    assert held(user).filter(release_id=5).count() == 3
    assert Release.objects.count() == 2


def test_import_takes_a_request_per_100_copies(collector, generous_sandbox):
    generous_sandbox.reset("stats")
    import_all(collector)
    assert held(collector).count() == 250
    assert generous_sandbox.stats()["accepted"] == 2 + 3 + 1  # folders, fields, three pages, the wantlist


def test_folders_grades_and_facts_arrive(make_user, generous_sandbox):
    from collections_app.connections.connect import connect_with_token
    from collections_app.sandbox.world.demo import DEMO_TOKEN

    user = make_user()
    connect_with_token(user, DEMO_TOKEN, now=timezone.now())
    import_all(user)
    assert held(user).count() == 400
    assert Folder.objects.count() >= 6
    assert held(user).exclude(media_condition="").exists()
    assert Release.objects.exclude(cover_url="").exists()
    assert not Release.objects.filter(artists__contains="(2)").exists()


def test_second_import_changes_nothing(collector):
    import_all(collector)
    before = list(held(collector).order_by("pk").values("pk", "instance_id", "release_id", "added_at"))
    import_all(collector)
    assert (
        list(held(collector).order_by("pk").values("pk", "instance_id", "release_id", "added_at")) == before
    )


def test_removed_copy_is_kept_as_removed(collector, generous_sandbox, caplog):
    caplog.set_level("INFO", logger="collections_app")
    import_all(collector)
    gone = held(collector).first()
    generous_sandbox.world.remove_copies("collector_at_discogs", [gone.instance_id])
    import_all(collector)
    gone.refresh_from_db()
    assert gone.removed_at is not None
    assert held(collector).count() == 249
    number = ImportPass.objects.latest("pk").pk
    assert caplog.messages[-1] == f"import {number}: 1 copies gone at Discogs"


@pytest.mark.parametrize("kind", ["html", "cut", "empty", "reset"])
def test_failed_page_is_retried_without_removals(collector, generous_sandbox, kind):
    import_all(collector)
    generous_sandbox.add_fault(path="^/users/.*page=2", kind=kind, times=1)
    import_pass = start_import(collector.discogs_connection, now=timezone.now())
    while (wait := import_step(import_pass.pk, now=timezone.now())) == 0:
        pass
    assert wait
    import_pass.refresh_from_db()
    assert (import_pass.state, import_pass.next_page) == (ImportPass.State.RUNNING, 2)
    assert held(collector).count() == 250
    while import_step(import_pass.pk, now=timezone.now()) is not None:
        pass
    import_pass.refresh_from_db()
    assert import_pass.state == ImportPass.State.COMPLETE
    assert held(collector).count() == 250


def test_empty_pages_remove_nothing(collector, generous_sandbox):
    import_all(collector)
    empty = '{"pagination": {"items": 250, "pages": 3}, "releases": []}'
    generous_sandbox.add_fault(path="^/users/.*page=2", kind="body", body=empty)
    import_all(collector)
    assert held(collector).count() == 250


def test_two_starts_are_one_import(collector):
    first = start_import(collector.discogs_connection, now=timezone.now())
    assert start_import(collector.discogs_connection, now=timezone.now()).pk == first.pk


def test_ending_import_makes_room_for_the_next(collector):
    first = start_import(collector.discogs_connection, now=timezone.now())
    ended: list[int] = []

    def end_it(execute, sql, params, many, context):
        # Another process commits the last page just before we look for the import pass that is in our way.
        if sql.startswith("SELECT") and ImportPass._meta.db_table in sql and not ended:
            ended.append(first.pk)
            ImportPass.objects.filter(pk=first.pk).update(state=ImportPass.State.COMPLETE)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(end_it):
        second = start_import(collector.discogs_connection, now=timezone.now())
    assert ended == [first.pk]
    assert (second.state, second.pk > first.pk) == (ImportPass.State.RUNNING, True)


def test_erased_connection_is_reported(collector):
    erased = DiscogsConnection.objects.get()
    disconnect(DiscogsConnection.objects.get())
    with pytest.raises(ConnectionErased, match=r"erased meanwhile\. No import was started"):
        start_import(erased, now=timezone.now())


def test_command_goes_on_after_a_disconnect(collector, make_collector, generous_sandbox):
    make_collector(generous_sandbox, "other", count=30)

    def leave(instance: ImportPass, **_: object) -> None:
        if instance.instances_seen and instance.connection.user_id == collector.pk:
            transaction.on_commit(lambda: DiscogsConnection.objects.filter(user=collector).delete())

    errors = StringIO()
    post_save.connect(leave, sender=ImportPass)
    try:
        with pytest.raises(CommandError, match="1 of 2 imports failed"):
            call_command("import_collection", wait=True, stdout=StringIO(), stderr=errors)
    finally:
        post_save.disconnect(leave, sender=ImportPass)
    assert "its user has disconnected; nothing was kept" in errors.getvalue()
    assert CollectionInstance.objects.count() == 30


def test_command_says_once_what_was_kept(collector, generous_sandbox):
    generous_sandbox.add_user("collector_at_discogs", "a-brand-new-token")
    errors = StringIO()
    with pytest.raises(CommandError):
        call_command("import_collection", wait=True, stdout=StringIO(), stderr=errors)
    assert errors.getvalue().count("What was read so far is kept.") == 1


def test_step_held_by_another_task_is_skipped(collector, generous_sandbox):
    import_pass = start_import(collector.discogs_connection, now=timezone.now())
    ImportPass.objects.update(lease_until=timezone.now() + timedelta(seconds=30))
    generous_sandbox.reset("stats")
    assert import_step(import_pass.pk, now=timezone.now()) is None
    assert generous_sandbox.stats()["accepted"] == 0


def test_import_resumes_at_its_page(collector):
    now = timezone.now()
    import_pass = start_import(collector.discogs_connection, now=now)
    import_step(import_pass.pk, now=now)
    import_step(import_pass.pk, now=now)
    ImportPass.objects.update(lease_until=now + timedelta(seconds=40))
    assert idle_imports(now=now) == []
    later = now + timedelta(seconds=41)
    assert idle_imports(now=later) == [import_pass.pk]
    while import_step(import_pass.pk, now=later) is not None:
        pass
    import_pass.refresh_from_db()
    assert (import_pass.state, import_pass.instances_seen) == (ImportPass.State.COMPLETE, 250)


def test_empty_collection_is_believed_second_time(collector, generous_sandbox):
    import_all(collector)
    empty = '{"pagination": {"items": 0, "pages": 1}, "releases": []}'
    folders = '{"folders": [{"id": 0, "name": "All", "count": 0}]}'
    generous_sandbox.add_fault(path="^/users/.*folders/0/releases", kind="body", body=empty)
    generous_sandbox.add_fault(path="^/users/.*/folders$", kind="body", body=folders)
    import_all(collector)
    assert held(collector).count() == 250
    import_all(collector)
    assert held(collector).count() == 0
