"""What pages say of the last reading of a collection: rows not read, copies missing, an empty collection."""

import re

import pytest
from django.core.management import call_command
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from collections_app.importing.unread import What, number_of
from collections_app.models import ImportPass
from tests import factories as make

pytestmark = pytest.mark.django_db

State = ImportPass.State
ODD = {
    "what": "copy",
    "release_id": 9001,
    "instance_id": None,
    "title": "<b>Odd</b>",
    "reason": "Discogs sent no x.",
}
NAMELESS = {
    "what": "want",
    "release_id": None,
    "instance_id": None,
    "title": "",
    "reason": "Discogs sent no y.",
}


@pytest.fixture
def collection():
    return make.make_connection()


@pytest.fixture
def show(client, collection):
    client.force_login(collection.user)

    def get(address):
        response = client.get(address)
        assert response.status_code == 200, response.status_code
        return re.sub(r"\s+", " ", response.content.decode())

    return get


def read(collection, **fields) -> ImportPass:
    values = {"state": State.COMPLETE, "started_at": timezone.now(), "connection": collection}
    return ImportPass.objects.create(**{**values, **fields})


# Rows that could not be read ------------------------------------------------------------------------


def test_run_page_names_unread_rows(show, collection):
    run = make.make_run(
        collection, "finished", import_pass=read(collection, unread_count=2, unread=[ODD, NAMELESS])
    )
    for address in (f"/syncs/{run.pk}/", f"/syncs/{run.pk}/progress/"):
        html = show(address)
        assert "2 rows could not be read" in html
        assert 'href="https://www.discogs.com/release/9001"' in html
        assert "&lt;b&gt;Odd&lt;/b&gt; (9001)" in html
        assert "copy: Discogs sent no x." in html
        assert "Without a title" in html


def test_run_page_updates_the_list_while_it_polls(show, collection):
    run = make.make_run(collection, "importing", import_pass=read(collection, state=State.RUNNING))
    assert '<div id="unread" >' in show(f"/syncs/{run.pk}/")
    assert '<div id="unread" hx-swap-oob="true">' in show(f"/syncs/{run.pk}/progress/")


def test_run_page_says_how_many_are_not_named(show, collection):
    run = make.make_run(
        collection, "finished", import_pass=read(collection, unread_count=250, unread=[ODD] * 100)
    )
    html = show(f"/syncs/{run.pk}/")
    assert "250 rows could not be read" in html
    assert "Only the first 100 are named." in html


def test_list_of_syncs_counts_unread_rows(show, collection):
    make.make_run(
        collection, "finished", import_pass=read(collection, unread_count=2, unread=[ODD, NAMELESS])
    )
    make.make_run(collection, "finished", import_pass=read(collection))
    assert show("/syncs/").count("not read") == 1
    assert "2 not read" in show("/syncs/")


def test_dashboard_names_unread_rows(show, collection):
    make.make_price(make.make_copy(collection).release, 100)
    read(collection, unread_count=1, unread=[ODD])
    html = show("/dashboard/")
    assert "Needs attention" in html
    assert 'href="#unread"' in html
    assert "1 row could not be read" in html


def test_unread_rows_of_earlier_passes_go(show, collection):
    make.make_price(make.make_copy(collection).release, 100)
    read(collection, unread_count=1, unread=[ODD])
    read(collection)
    assert "could not be read" not in show("/dashboard/")


def test_sync_command_names_unread_rows(collection, capsys):
    read(collection, unread_count=1, unread=[ODD])
    call_command("sync_prices", user=collection.user.username, wait=True)
    assert (
        '1 row could not be read: copy of release 9001 "<b>Odd</b>" (Discogs sent no x).'
        in capsys.readouterr().out
    )


# Copies that were missing ---------------------------------------------------------------------------

PAGES = ("/dashboard/", "/collection/")


@pytest.mark.parametrize("address", PAGES)
def test_missing_copies_wait_for_a_second_reading(show, collection, address):
    make.make_price(make.make_copy(collection).release, 100)
    read(collection, unconfirmed_copies=1200)
    assert "1,200 copies were missing when your collection was last read." in show(address)
    assert "They stay in the total until the next import confirms it." in show(address)
    read(collection, state=State.FAILED, is_confirmation=True)
    assert "until the next import confirms it" in show(address)
    second = read(collection, state=State.RUNNING, is_confirmation=True)
    assert "until a second reading, which has started, confirms it." in show(address)
    second.state = State.COMPLETE
    second.save()
    assert "missing when" not in show(address)


@pytest.mark.parametrize("address", PAGES)
def test_single_missing_copy_is_in_the_singular(show, collection, address):
    make.make_copy(collection)
    read(collection, unconfirmed_copies=1)
    assert "1 copy was missing when your collection was last read. It stays in the total" in show(address)


@pytest.mark.parametrize("address", PAGES)
def test_missing_wants_wait_for_a_second_reading(show, collection, address):
    make.make_copy(collection)
    read(collection, unconfirmed_wants=12)
    assert "12 releases were missing when your wantlist was last read." in show(address)
    assert "They stay wanted here until the next import confirms it." in show(address)
    assert "copies were missing" not in show(address)
    read(collection, state=State.RUNNING, is_confirmation=True)
    assert "wanted here until a second reading, which has started, confirms it." in show(address)
    ImportPass.objects.update(unconfirmed_wants=1)
    assert "1 release was missing when your wantlist was last read. It stays wanted here" in show(address)


@pytest.mark.parametrize("address", PAGES)
def test_unread_wants_do_not_mean_unread_copies(show, collection, address):
    import_pass = read(collection, unread_count=1, unread=[NAMELESS], finished_at=timezone.now())
    run = make.make_run(collection, "finished", import_pass=import_pass)
    for html in (show(address), show(f"/syncs/{run.pk}/")):
        assert EMPTY in html
        assert "No copy in your collection could be read" not in html
    assert "these copies and wantlist entries is kept" in show("/dashboard/")


@pytest.mark.parametrize(
    ("named", "more", "copies", "wants"),
    [
        ([], 0, 0, 0),
        ([ODD], 0, 1, 0),
        ([ODD, NAMELESS], 0, 1, 1),
        ([ODD, ODD], 7, 9, 0),
        ([ODD, NAMELESS], 7, 1, 8),
    ],
)
def test_number_of_counts_rows_of_a_kind(collection, named, more, copies, wants):
    import_pass = read(collection, unread_count=len(named) + more, unread=named)
    assert number_of(import_pass, What.COPY) == copies
    assert number_of(import_pass, What.WANT) == wants


@pytest.mark.parametrize("address", PAGES)
def test_reading_costs_one_query(client, collection, address):
    def count() -> int:
        with CaptureQueriesContext(database) as captured:
            assert client.get(address).status_code == 200
        return sum('FROM "collections_app_importpass"' in query["sql"] for query in captured.captured_queries)

    client.force_login(collection.user)
    make.make_copy(collection)
    # The list has another: the choices of its filters are kept until the next import.
    queries = 2 if address == "/collection/" else 1
    assert count() == queries
    for _ in range(3):
        read(collection, unread_count=1, unread=[ODD], unconfirmed_copies=3)
    read(collection, state=State.RUNNING)
    assert count() == queries


# An empty collection --------------------------------------------------------------------------------

EMPTY = "Your collection on Discogs is empty."


@pytest.mark.parametrize("address", [*PAGES, "/dashboard/headline/"])
def test_empty_collection_is_called_empty(show, collection, address):
    read(collection, state=State.RUNNING)
    assert EMPTY not in show(address)
    assert "Nothing has been imported yet" in show(address)
    ImportPass.objects.update(state=State.COMPLETE)
    assert EMPTY in show(address)
    assert "Nothing has been imported yet" not in show(address)


@pytest.mark.parametrize("address", PAGES)
def test_unread_collection_is_not_empty(show, collection, address):
    read(collection, unread_count=1, unread=[ODD])
    assert EMPTY not in show(address)
    assert "No copy in your collection could be read." in show(address)


def test_sync_of_an_empty_collection_says_so(show, collection):
    run = make.make_run(collection, "finished", import_pass=read(collection))
    assert EMPTY in show(f"/syncs/{run.pk}/")
    assert EMPTY in show(f"/syncs/{run.pk}/progress/")


def test_sync_with_copies_is_not_empty(show, collection):
    run = make.make_run(collection, "finished", import_pass=read(collection))
    make.make_item(run, make.make_copy(collection).release, "recorded")
    assert EMPTY not in show(f"/syncs/{run.pk}/")
