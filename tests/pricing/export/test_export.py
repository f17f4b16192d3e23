"""Out with everything and into another site: the same document, the same values, and no secrets."""

import io
import json
import re
import sys
import threading
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.db import connection as database
from django.http import StreamingHttpResponse
from django.utils import timezone

from collections_app.connections.connect import connect_with_token
from collections_app.models import (
    CollectionField,
    CollectionInstance,
    Decision,
    DiscogsConnection,
    Folder,
    GradeEdit,
    Preferences,
    Release,
)
from pricing import export
from pricing.daily import baselines
from pricing.daily.stored import rebuild_values
from pricing.export.sections import FORMAT, SECTIONS
from pricing.management.demo_history import seed_history
from pricing.models import (
    CollectionValue,
    DiscogsRange,
    Doubt,
    EarlierPrice,
    MarketStat,
    NearMintPrice,
    PriceBaseline,
    PriceJob,
    PriceSnapshot,
    ReleasePrice,
    SyncRun,
)
from pricing.pages.queries import value_for
from pricing.pages.views.export import MAX_DOWNLOAD_SECONDS
from pricing.precision.history import relearn
from pricing.sync import runs
from pricing.value.decisions import decide
from pricing.value.own import set_own, withdraw_own
from tests import factories as make
from tests.pricing.engine import import_all, work_until_idle

pytestmark = pytest.mark.django_db
FOREIGN = "Sigur Rós\r\n\"( )\" </script> \\ \u2028 \u0007 東京 🎶 'x' [\n],\n}"
RELEASES = [*range(1000, 1010), 1000]


def exported(user, *, now=None):
    return "".join(export.document(user.pk, now=now or timezone.now()))


def restore(text, user, **options):
    return export.restore(io.BytesIO(text.encode()), user, now=timezone.now(), **options)


def comparable(text):
    """The document without what may differ between two sites."""
    document = json.loads(text)
    assert document.pop("exported_at")
    assert document.pop("account")
    document["connection"].pop("state")
    return document


def marks_of_copies():
    """What copies keep of decisions, own values and grades that changed."""
    fields = ("price_decision", "decided_at", "own_minor", "own_set_at", "grade_edited_at")
    return CollectionInstance.objects.order_by("instance_id").values_list("instance_id", *fields)


def empty_the_database():
    get_user_model().objects.all().delete()
    PriceJob.objects.all().delete()
    Release.objects.all().delete()


@pytest.fixture
def collector(generous_sandbox, make_collector):
    """Imported, priced, with two years of history, removed copies, wants and texts of every kind."""
    now = timezone.now()
    user = make_collector(generous_sandbox, release_ids=RELEASES)
    generous_sandbox.set_market(1001, gone=True)
    generous_sandbox.set_market(1002, blocked=True)
    generous_sandbox.set_market(1003, lowest_price=None)
    import_all(user)
    runs.start_sync(user, trigger=SyncRun.Trigger.CLICK, now=now, import_first=False)
    work_until_idle()
    seed_history(user.pk, world=generous_sandbox.world, years=1, now=now)
    connection = user.discogs_connection
    first, second, *_ = connection.instances.order_by("instance_id")
    first.custom_fields = {"zz": FOREIGN, "a": "", "Longer name": "Größe"}
    first.notes = first.release.title = FOREIGN
    first.paid_minor, first.paid_currency, first.media_condition = 1999, "EUR", "Very Good Plus (VG+)"
    first.folder = Folder.objects.create(connection=connection, discogs_id=77, name=FOREIGN)
    first.save()
    first.release.save()
    second.removed_at, second.paid_minor = now - timedelta(days=40, microseconds=7), 0
    second.save()
    generous_sandbox.world.remove_copies("collector_at_discogs", [second.instance_id])
    for number, role in ((91, "other"), (92, "paid")):
        CollectionField.objects.create(connection=connection, discogs_id=number, name=FOREIGN, role=role)
    wanted = make.make_release(discogs_id=4321)
    make.make_want(connection, wanted)
    suggested = {"near_mint_minor": 5, "near_mint_at": now, "near_mint_since": now.date()}
    make.make_price(wanted, 700, rating_average=4.37, rating_count=3, **suggested)
    for ago, amount in ((0, 5), (9, None), (20, 7)):
        NearMintPrice.objects.create(
            release=wanted, day=now.date() - timedelta(days=ago), amount_minor=amount
        )
    EarlierPrice.objects.create(release=wanted, day=now.date(), amount_minor=5, observed_at=now)
    MarketStat.objects.create(release=wanted, currency="JPY", amount_minor=900, observed_at=now)
    DiscogsRange.objects.create(
        connection=connection,
        day=now.date(),
        currency="JPY",
        minimum_minor=0,
        median_minor=5,
        maximum_minor=9,
    )
    held_back = ReleasePrice.objects.filter(pk__in=(1007, 1008, 1009))
    held_back.update(doubt=Doubt.JUMP)
    PriceSnapshot.objects.filter(release__in=(1007, 1008, 1009), day=now.date()).update(doubt=Doubt.JUMP)
    decide(user.pk, 1007, Decision.COUNT, now=now - timedelta(days=20))
    decide(user.pk, 1008, Decision.COUNT, now=now - timedelta(days=9))
    decide(user.pk, 1008, Decision.NEVER, now=now - timedelta(days=5))
    relearn(list(held_back.values_list("pk", flat=True)))
    add_own_values(connection, now=now)
    rebuild_values(user.pk, first=now.date() - timedelta(days=365), last=now.date(), now=timezone.now())
    Preferences.objects.create(
        user=user, sync_every_hours=6, currency="EUR", locale="ja", time_zone="Asia/Tokyo"
    )
    return user


def add_own_values(connection, *, now):
    """Two values in turn for one copy, one withdrawn for another, and a grade that changed."""
    kept, withdrawn = connection.instances.filter(release_id__in=(1004, 1005)).order_by("release_id")
    for ago, minor in ((30, 5000), (10, 7000)):
        moment = now - timedelta(days=ago)
        both = {"amount_minor": minor, "currency": "USD", "note": FOREIGN, "now": moment}
        set_own(connection.user_id, [kept.pk, withdrawn.pk], **both)
    withdraw_own(connection.user_id, [withdrawn.pk], now=now - timedelta(days=3))
    GradeEdit.objects.create(copy=kept, before="Fair (F)", edited_at=now - timedelta(days=2))
    connection.instances.filter(pk=kept.pk).update(grade_edited_at=now - timedelta(days=2))


# The same again --------------------------------------------------------------------------------------


def test_collection_survives_export_and_restore(collector):
    now = timezone.now()
    before, value = exported(collector, now=now), value_for(collector.pk, now=now)
    marks = list(marks_of_copies())
    history = list(CollectionValue.objects.order_by("day").values_list("day", "value_minor", "priced"))
    assert len(history) > 300
    empty_the_database()
    user = get_user_model().objects.create_user("newcomer")
    result = restore(before, user)
    assert result.rows["instances"] == len(RELEASES)
    assert result.new["releases"] == len(set(RELEASES)) + 1
    assert comparable(exported(user)) == comparable(before)
    assert list(marks_of_copies()) == marks
    assert value_for(user.pk, now=now) == value
    assert (value.quarantined, value.left_out) == (1, 1)
    assert ReleasePrice.objects.filter(doubted_on=now.date()).count() == 3
    kept = (
        CollectionValue.objects.filter(user=user).order_by("day").values_list("day", "value_minor", "priced")
    )
    assert list(kept) == history
    first, last = history[0][0], history[-1][0]
    rebuild_values(user.pk, first=first, last=last, now=now)
    assert list(kept.all()) == history


def test_every_section_of_the_test_has_a_row(collector):
    document = json.loads(exported(collector))
    assert not [section.name for section in SECTIONS if not document[section.name]]


def test_two_exports_differ_in_their_time_only(collector):
    now = timezone.now()
    one, other = exported(collector, now=now), exported(collector, now=now + timedelta(days=1))
    assert one != other
    stamp = re.compile(r'"exported_at": "[^"]+"')
    assert stamp.sub("", one) == stamp.sub("", other)
    assert exported(collector, now=now) == one


def test_each_row_has_its_own_line(collector):
    lines = exported(collector).split("\n")
    rows = [
        json.loads(line.removesuffix(",")) for line in lines if line.startswith("{") and FORMAT not in line
    ]
    listed = [section.model.objects for section in SECTIONS if section.key]
    assert len(rows) == sum(manager.count() for manager in listed)


def test_reconnecting_keeps_what_was_restored(collector):
    before = exported(collector)
    empty_the_database()
    user = get_user_model().objects.create_user("newcomer")
    restore(before, user)
    connection = DiscogsConnection.objects.get(user=user)
    assert (connection.state, connection.credential) == ("reconnect_needed", "")
    copies = set(connection.instances.values_list("pk", "instance_id", "added_at", "removed_at"))
    connect_with_token(user, "token-of-collector", now=timezone.now())
    import_all(user)
    connection.refresh_from_db()
    assert connection.is_active
    assert set(connection.instances.values_list("pk", "instance_id", "added_at", "removed_at")) == copies


def test_restored_baselines_are_those_of_the_history(collector):
    def stored():
        fields = [field.name for field in PriceBaseline._meta.concrete_fields]
        return list(PriceBaseline.objects.order_by("pk").values(*fields))

    assert PriceBaseline.objects.exclude(days_91_minor=None).exists()  # from the made-up history
    baselines.renew_next(-1, today=timezone.now().date())  # prices that the fixture made
    before, text = stored(), exported(collector)
    empty_the_database()
    assert not stored()
    restore(text, get_user_model().objects.create_user("newcomer"))
    assert stored() == before


def test_restore_keeps_what_the_site_knows(collector):
    before = exported(collector)
    other = get_user_model().objects.create_user("other")
    DiscogsConnection.objects.filter(user=collector).delete()
    Release.objects.filter(pk=1005).update(title="known here")
    snapshot = PriceSnapshot.objects.filter(release_id=1005).first()
    PriceSnapshot.objects.filter(release_id=1006).delete()
    PriceSnapshot.objects.filter(pk=snapshot.pk).update(num_for_sale=99)
    ReleasePrice.objects.filter(pk=1005).update(num_for_sale=98)
    result = restore(before, other)
    assert Release.objects.get(pk=1005).title == "known here"
    snapshot.refresh_from_db()
    assert snapshot.num_for_sale == 99
    assert ReleasePrice.objects.get(pk=1005).num_for_sale == 98
    assert result.new["releases"] == result.new["prices"] == 0
    assert result.new["snapshots"] == PriceSnapshot.objects.filter(release_id=1006).count() > 0


# What is in it ---------------------------------------------------------------------------------------


def test_export_has_no_secret_or_foreign_row(collector, make_user):
    other = make.make_connection("someone_else")
    secret = make.make_copy(other, make.make_release(title="not yours"), notes="private words")
    make.make_price(secret.release, 12345)
    make.make_want(other, make.make_release(title="not your wish"))
    text = exported(collector)
    for word in ("not yours", "private words", "someone_else", "not your wish", collector.password, "12345"):
        assert word not in text
    assert collector.discogs_connection.credential not in text
    assert "token-of-collector" not in text
    assert json.loads(text)["account"] == {"username": "collector", "email": "collector@example.org"}


# Fields that are no part of an export, with the reason. A new field belongs here or in `sections`.
LEFT_OUT = {
    "connection.credential": "opens the account at Discogs",
    "folders.seen_in_pass": "an id of ours",
    "fields.seen_in_pass": "an id of ours",
    "instances.seen_in_pass": "an id of ours",
    "wants.seen_in_pass": "an id of ours",
    "instances.price_decision": "the newest of the decisions",
    "instances.decided_at": "the time of the newest decision",
    "instances.own_minor": "the newest of the own values",
    "instances.own_set_at": "the time of the newest own value",
    "instances.grade_edited_at": "the time of the newest grade edit",
    "prices.not_found_at": "a question still open, which the next sync asks again",
    **{
        f"prices.{name}": "learned again from the snapshots"
        for name in (
            "last_minor",
            "last_priced_at",
            "s2",
            "exposure_days",
            "doubted_minor",
            "doubted_on",
        )
    },
    **{
        f"prices.{name}": "renewed every night"
        for name in ("prior_variance", "weight", "urgency", "interval_hours")
    },
}


@pytest.mark.parametrize("section", SECTIONS[1:], ids=lambda section: section.name)
def test_every_field_is_exported_or_excluded(section):
    exported_fields = {column.field.split("__")[0].removesuffix("_id") for column in section.columns}
    exported_fields |= {column.field for column in section.columns}
    for field in section.model._meta.concrete_fields:
        if field.name in {"id", section.owner}:
            continue
        assert (field.name in exported_fields) != (f"{section.name}.{field.name}" in LEFT_OUT), (
            f"{section.model.__name__}.{field.name}: add it to pricing/export/sections.py and raise VERSION, "
            "or name it in LEFT_OUT of this test with the reason"
        )


def test_user_without_connection_gets_a_file(make_user):
    document = json.loads(exported(make_user("empty")))
    assert document["connection"] is document["preferences"] is None
    assert document["instances"] == document["snapshots"] == []
    assert document["complete"] is True


# The page --------------------------------------------------------------------------------------------


def test_download_is_sent_in_small_pieces(client, collector):
    collector.username = 'ann/../"x\r\né@home'
    collector.save()
    client.force_login(collector)
    response = client.get("/export/")
    assert isinstance(response, StreamingHttpResponse)
    assert re.fullmatch(
        r'attachment; filename="crateworth-ann-x-home-\d{4}-\d\d-\d\d\.json"', response["Content-Disposition"]
    )
    assert "no-store" in response["Cache-Control"]
    pieces = list(response)
    assert json.loads(b"".join(pieces))["account"]["username"] == collector.username
    assert len(pieces) > 20
    assert max(map(len, pieces)) < 100_000


def test_one_download_per_user_runs_at_a_time(client, collector):
    other = make.make_connection("other").user
    client.force_login(collector)
    first = client.get("/export/")
    second = client.get("/export/")
    assert (second.status_code, "in progress" in second.content.decode()) == (409, True)
    client.force_login(other)
    assert client.get("/export/").status_code == 200
    client.force_login(collector)
    assert json.loads(b"".join(first))["complete"] is True
    assert client.get("/export/").status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("begun", [True, False])
def test_abandoned_download_makes_room(client, begun):
    client.force_login(make.make_connection().user)
    given_up = client.get("/export/")
    if begun:
        next(iter(given_up))
    given_up.close()
    assert json.loads(b"".join(client.get("/export/")))["complete"] is True


def test_query_count_is_constant(django_assert_num_queries):
    collection = make.make_connection()
    make.fill_collection(collection, 30, now=timezone.now())
    with django_assert_num_queries(len(SECTIONS)):
        "".join(export.document(collection.user_id, now=timezone.now()))


@pytest.mark.django_db(transaction=True)
def test_download_is_a_snapshot_and_allows_writes():
    collection = make.make_connection()
    make.fill_collection(collection, 60, now=timezone.now())

    def somebody_writes() -> None:
        make.make_value(collection, 4711, day=timezone.now().date())
        database.close()

    pieces = export.document(collection.user_id, now=timezone.now())
    text = next(pieces)
    writer = threading.Thread(target=somebody_writes)
    writer.start()
    writer.join(timeout=10)
    assert not writer.is_alive()
    assert CollectionValue.objects.count() == 4  # this connection still sees its snapshot
    text += "".join(pieces)
    assert len(json.loads(text)["values"]) == 4
    assert CollectionValue.objects.filter(value_minor=4711).exists()


@pytest.mark.django_db(transaction=True)
def test_abandoned_download_ends_its_snapshot(client, monkeypatch):
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    collection = make.make_connection()
    make.fill_collection(collection, 60, now=timezone.now())
    client.force_login(collection.user)
    response = client.get("/export/")
    next(iter(response))
    response.close()
    del response
    assert not complaints
    make.make_value(collection, 4711, day=timezone.now().date())  # would fail inside the snapshot
    assert CollectionValue.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_download_ends_when_its_lease_may_lapse(client):
    collection = make.make_connection()
    make.fill_collection(collection, 60, now=timezone.now())
    client.force_login(collection.user)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        response = client.get("/export/")
        pieces = iter(response)
        next(pieces)
        clock.shift(MAX_DOWNLOAD_SECONDS + 1)
        with pytest.raises(ConnectionAbortedError):
            next(pieces)
    response.close()
    assert client.get("/export/").status_code == 200
