"""What is at Discogs is here: fields, grades, prices paid and wants, and every change of them."""

from dataclasses import replace

import pytest
from django.utils import timezone

from collections_app.connections.connect import connect_with_token
from collections_app.discogs.collection_payloads import FieldPayload
from collections_app.importing.steps import import_step, start_import
from collections_app.importing.store import roles_of
from collections_app.models import (
    CollectionField,
    CollectionInstance,
    DiscogsConnection,
    Folder,
    ImportPass,
    WantlistItem,
)
from collections_app.sandbox.world.demo import DEMO_TOKEN
from collections_app.sandbox.world.holdings import Field
from tests.pricing.engine import import_all

pytestmark = pytest.mark.django_db(transaction=True)
Role = CollectionField.Role


@pytest.fixture
def demo(make_user, generous_sandbox):
    user = make_user()
    connect_with_token(user, DEMO_TOKEN, now=timezone.now())
    import_all(user)
    return user


@pytest.fixture
def collector(make_collector, generous_sandbox):
    user = make_collector(generous_sandbox, count=40, wants=range(3000, 3025))
    import_all(user)
    return user


def change(sandbox, **fields):
    users = sandbox.world.users
    users["collector_at_discogs"] = replace(users["collector_at_discogs"], **fields)


def at_discogs(sandbox):
    return sandbox.world.users["collector_at_discogs"]


def held(user):
    return CollectionInstance.objects.of(user.pk).held()


def wanted(user):
    return set(WantlistItem.objects.filter(connection__user=user).values_list("release_id", flat=True))


def test_notes_are_stored_in_their_fields(demo, generous_sandbox):
    user = generous_sandbox.world.users["crate_demo"]
    rows = {row.instance_id: row for row in held(demo)}
    assert len(rows) == len(user.copies)
    for copy in user.copies:
        row = rows[copy.instance_id]
        assert (row.media_condition, row.sleeve_condition) == (copy.notes.get(1, ""), copy.notes.get(2, ""))
        assert row.notes == copy.notes.get(3, "").strip()
        assert row.custom_fields == ({"Paid": copy.notes[4]} if 4 in copy.notes else {})
    assert held(demo).filter(paid_currency="EUR", paid_minor__gt=0).exists()
    # Nobody can say what it cost, and the text is kept.
    assert held(demo).filter(paid_minor=None, custom_fields__Paid="about 10?").exists()


def test_wantlist_has_notes_and_ratings(demo, generous_sandbox):
    wants = {want.release_id: want for want in generous_sandbox.world.users["crate_demo"].wants}
    rows = WantlistItem.objects.filter(connection__user=demo).select_related("release")
    assert {row.release_id for row in rows} == set(wants)
    for row in rows:
        want = wants[row.release_id]
        assert (row.notes, row.rating, row.added_at) == (want.notes, want.rating, want.date_added)
        assert row.release.title


def test_moves_edits_and_regrades_are_seen(collector, generous_sandbox):
    first, *others = at_discogs(generous_sandbox).copies
    notes = {1: "Poor (P)", 3: "scratched since"}
    change(
        generous_sandbox,
        folders={1: "Uncategorized", 7: "For sale"},
        copies=(replace(first, folder_id=7, rating=1, notes=notes), *others),
    )
    import_all(collector)
    copy = held(collector).get(instance_id=first.instance_id)
    assert (copy.folder.name, copy.rating, copy.media_condition) == ("For sale", 1, "Poor (P)")
    assert (copy.sleeve_condition, copy.notes) == ("", "scratched since")


def test_folder_rename_and_removal_are_followed(collector, generous_sandbox):
    change(generous_sandbox, folders={1: "Everything"})
    import_all(collector)
    assert set(Folder.objects.values_list("name", flat=True)) == {"All", "Everything"}
    copies = at_discogs(generous_sandbox).copies
    change(
        generous_sandbox,
        folders={9: "Shelf"},
        copies=tuple(replace(copy, folder_id=9) for copy in copies),
    )
    import_all(collector)
    assert set(Folder.objects.values_list("name", flat=True)) == {"All", "Shelf"}
    assert held(collector).filter(folder__name="Shelf").count() == 40


def test_renamed_field_keeps_its_meaning(collector, generous_sandbox):
    fields = (Field(1, "Zustand", True), Field(5, "Shop", False), Field(6, "Purchase price", False))
    copies = tuple(
        replace(copy, notes={1: "Mint (M)", 5: "Market", 6: "5,50 €"})
        for copy in at_discogs(generous_sandbox).copies
    )
    change(generous_sandbox, fields=fields, copies=copies)
    import_all(collector)
    copy = held(collector).first()
    assert (copy.media_condition, copy.paid_minor, copy.paid_currency) == ("Mint (M)", 550, "EUR")
    assert copy.custom_fields == {"Shop": "Market", "Purchase price": "5,50 €"}


def test_two_fields_of_one_name_are_kept(collector, generous_sandbox):
    fields = tuple(Field(number, "Shop", False) for number in (5, 6))
    copies = tuple(replace(c, notes={5: "Market", 6: "Fair"}) for c in at_discogs(generous_sandbox).copies)
    change(generous_sandbox, fields=fields, copies=copies)
    import_all(collector)
    assert held(collector).first().custom_fields == {"Shop": "Market", "Shop (2)": "Fair"}


@pytest.mark.parametrize("status", [403, 404])
def test_missing_fields_leave_grades_alone(collector, generous_sandbox, status):
    fault = {"kind": "status", "status": status, "body": '{"message": "no"}'}
    generous_sandbox.add_fault(path="^/users/.*/fields", **fault)
    CollectionField.objects.all().delete()
    import_all(collector)
    assert ImportPass.objects.latest("pk").state == ImportPass.State.COMPLETE
    graded = {copy.instance_id: copy.notes.get(1, "") for copy in at_discogs(generous_sandbox).copies}
    assert dict(held(collector).values_list("instance_id", "media_condition")) == graded


def test_role_follows_the_field_name():
    fields = [
        FieldPayload(1, "Signed by"),
        FieldPayload(2, "Sleeve Condition"),
        FieldPayload(8, "Media Condition"),
    ]
    assert roles_of(fields) == {1: Role.OTHER, 2: Role.SLEEVE, 8: Role.MEDIA}


def test_returning_copy_is_held_again(collector, generous_sandbox):
    copies = at_discogs(generous_sandbox).copies
    change(generous_sandbox, copies=copies[:-1])
    import_all(collector)
    assert held(collector).count() == 39
    change(generous_sandbox, copies=copies)
    import_all(collector)
    assert held(collector).count() == 40


def test_large_removal_waits_for_second_import(collector, generous_sandbox):
    change(generous_sandbox, copies=at_discogs(generous_sandbox).copies[:20])
    import_all(collector)
    assert held(collector).count() == 40
    import_all(collector)
    assert held(collector).count() == 20


def test_wantlist_follows_changes(collector, generous_sandbox):
    wants = at_discogs(generous_sandbox).wants
    generous_sandbox.add_user("other", wants=[4000])
    change(generous_sandbox, wants=(*wants[:-1], generous_sandbox.world.users["other"].wants[0]))
    import_all(collector)
    assert wanted(collector) == {want.release_id for want in wants[:-1]} | {4000}


def test_empty_wantlist_is_believed_second_time(collector, generous_sandbox):
    change(generous_sandbox, wants=())
    import_all(collector)
    assert len(wanted(collector)) == 25
    import_all(collector)
    assert wanted(collector) == set()


@pytest.mark.parametrize("status", [403, 404])
def test_private_wantlist_changes_nothing(collector, generous_sandbox, status):
    generous_sandbox.add_fault(
        path="^/users/.*/wants", kind="status", status=status, body='{"message": "no"}'
    )
    import_all(collector)
    assert len(wanted(collector)) == 25
    assert ImportPass.objects.latest("pk").state == ImportPass.State.COMPLETE
    assert DiscogsConnection.objects.get().is_active


def test_addition_during_import_defers_removals(collector, generous_sandbox):
    """One copy leaves a page already read and another comes: the number stays, and one is skipped."""
    copies = at_discogs(generous_sandbox).copies
    new = replace(copies[-1], instance_id=copies[-1].instance_id + 1, date_added=timezone.now())
    change(generous_sandbox, copies=(*copies[1:], new))
    import_all(collector)
    assert held(collector).count() == 41
    import_pass = ImportPass.objects.latest("pk")
    assert (import_pass.state, import_pass.instances_consistent) == (ImportPass.State.COMPLETE, False)


# What is wrong with the connection ------------------------------------------------------------------

REJECTED = '{"message": "Invalid consumer token."}'
PRIVATE = '{"message": "You are not allowed to view this resource."}'


def state_after_import(collector):
    import_all(collector)
    return DiscogsConnection.objects.get(user=collector).state


def test_private_collection_is_no_rejected_token(collector, generous_sandbox):
    generous_sandbox.add_fault(path="^/users/.*collection", kind="status", status=403, body=PRIVATE)
    assert state_after_import(collector) == DiscogsConnection.State.PRIVATE
    assert "private" in ImportPass.objects.latest("pk").error
    assert held(collector).count() == 40


def test_outage_page_is_not_private(collector, generous_sandbox):
    generous_sandbox.add_fault(path="^/users/.*collection", kind="forbidden_html", times=1)
    import_pass = start_import(collector.discogs_connection, now=timezone.now())
    assert import_step(import_pass.pk, now=timezone.now()) == 2.0
    assert DiscogsConnection.objects.get().is_active


def test_missing_account_is_gone(collector, generous_sandbox):
    generous_sandbox.add_fault(
        path="^/users/", kind="status", status=404, body='{"message": "User does not exist."}'
    )
    assert state_after_import(collector) == DiscogsConnection.State.GONE
    assert held(collector).count() == 40


def test_rejected_token_keeps_everything(collector, generous_sandbox):
    change(generous_sandbox, token="replaced-token-now")
    assert state_after_import(collector) == DiscogsConnection.State.RECONNECT_NEEDED
    assert ImportPass.objects.latest("pk").state == ImportPass.State.FAILED
    assert held(collector).count() == 40


def test_single_401_is_retried(collector, generous_sandbox):
    generous_sandbox.add_fault(path="^/users/.*folders", kind="status", status=401, body=REJECTED, times=1)
    import_pass = start_import(collector.discogs_connection, now=timezone.now())
    assert import_step(import_pass.pk, now=timezone.now()) == 2.0
    assert DiscogsConnection.objects.get().is_active


def test_renamed_account_is_followed_by_its_id(collector, generous_sandbox):
    users = generous_sandbox.world.users
    users["renamed_there"] = replace(users.pop("collector_at_discogs"), username="renamed_there")
    assert state_after_import(collector) == DiscogsConnection.State.ACTIVE
    assert DiscogsConnection.objects.get().discogs_username == "renamed_there"
    assert held(collector).count() == 40


def test_unreadable_credential_is_marked_and_kept(collector, settings):
    before = DiscogsConnection.objects.get().credential
    settings.CREDENTIAL_KEYS = ["bm90LXRoZS1rZXktdGhhdC1zZWFsZWQtdGhpcy1vbmU="]
    assert state_after_import(collector) == DiscogsConnection.State.UNREADABLE
    assert DiscogsConnection.objects.get().credential == before


def test_working_connection_loses_its_mark(collector):
    DiscogsConnection.objects.update(state=DiscogsConnection.State.PRIVATE)
    assert state_after_import(collector) == DiscogsConnection.State.ACTIVE


def test_one_users_failure_leaves_others_alone(collector, make_collector, generous_sandbox):
    other = make_collector(generous_sandbox, "other", count=30)
    change(generous_sandbox, token="replaced-token-now")
    import_all(collector)
    import_all(other)
    assert DiscogsConnection.objects.get(user=other).is_active
    assert held(other).count() == 30
