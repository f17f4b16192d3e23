"""A value that an owner sets for a copy: the log and the copy agree, and only the owner's own copies change."""

import threading
from datetime import timedelta

import pytest
from django.db import connection as database
from django.utils import timezone

from collections_app.discogs.client import DiscogsClient
from collections_app.importing.steps import import_step, start_import
from collections_app.models import CollectionInstance, OwnValue
from pricing.models import ExchangeRate
from pricing.value.own import CHUNK, NoRate, set_own, withdraw_own
from tests import factories as make
from tests.pricing.engine import import_all

NOW = timezone.now()
HOUR = timedelta(hours=1)


@pytest.fixture
def collection(db):
    return make.make_connection()


def set_usd(collection, *copies, minor=2500, note="", now=NOW):
    ids = [copy.pk for copy in copies]
    return set_own(collection.user_id, ids, amount_minor=minor, currency="USD", note=note, now=now)


def on_copies():
    return list(CollectionInstance.objects.order_by("pk").values_list("own_minor", "own_set_at"))


def log():
    return list(OwnValue.objects.order_by("copy", "set_at").values_list("amount_minor", "note", "set_at"))


def test_own_value_is_kept_on_the_copy_and_in_the_log(collection):
    copy = make.make_copy(collection)
    assert set_usd(collection, copy, note="signed") == 1
    assert set_usd(collection, copy, minor=3000, now=NOW + HOUR) == 1
    assert on_copies() == [(3000, NOW + HOUR)]
    assert log() == [(2500, "signed", NOW), (3000, "", NOW + HOUR)]


def test_own_value_is_converted_at_the_rate_of_that_moment(collection):
    ExchangeRate.objects.create(currency="JPY", micros_per_usd=150_000_000, observed_at=NOW)
    copy = make.make_copy(collection)
    set_own(collection.user_id, [copy.pk], amount_minor=30_000, currency="JPY", note="", now=NOW)
    row = OwnValue.objects.get()
    assert (row.amount_minor, row.currency, row.usd_minor) == (30_000, "JPY", 200_00)
    assert on_copies() == [(200_00, NOW)]


def test_own_value_without_a_rate_is_refused(collection):
    copy = make.make_copy(collection)
    with pytest.raises(NoRate):
        set_own(collection.user_id, [copy.pk], amount_minor=1, currency="EUR", note="", now=NOW)
    assert (log(), on_copies()) == ([], [(None, None)])


def test_withdrawal_is_an_entry_of_the_log(collection):
    copy = make.make_copy(collection)
    set_usd(collection, copy)
    assert withdraw_own(collection.user_id, [copy.pk], now=NOW + HOUR) == 1
    assert on_copies() == [(None, NOW + HOUR)]
    assert log() == [(2500, "", NOW), (None, "", NOW + HOUR)]
    assert withdraw_own(collection.user_id, [copy.pk], now=NOW + 2 * HOUR) == 0
    assert len(log()) == 2


def test_zero_is_a_value(collection):
    copy = make.make_copy(collection)
    assert set_usd(collection, copy, minor=0) == 1
    assert on_copies() == [(0, NOW)]
    assert withdraw_own(collection.user_id, [copy.pk], now=NOW + HOUR) == 1


def test_copies_of_others_and_removed_ones_do_not_change(collection):
    theirs = make.make_copy(make.make_connection("other"))
    sold = make.make_copy(collection, removed_at=NOW)
    assert set_usd(collection, theirs, sold) == 0
    assert set_own(987_654, [theirs.pk], amount_minor=1, currency="USD", note="", now=NOW) == 0
    assert withdraw_own(collection.user_id, [theirs.pk], now=NOW) == 0
    assert (log(), on_copies()) == ([], [(None, None)] * 2)


def test_clock_set_back_leaves_the_newest_value(collection):
    copy, other = make.make_copy(collection), make.make_copy(collection)
    set_usd(collection, copy, other, now=NOW + 24 * HOUR)
    set_usd(collection, copy, minor=100)
    withdraw_own(collection.user_id, [other.pk], now=NOW)
    assert on_copies() == [(100, NOW), (None, NOW)]
    assert log() == [(100, "", NOW), (None, "", NOW)]


def test_bulk_takes_a_few_statements_for_each_chunk(collection, django_assert_max_num_queries):
    release = make.make_release()
    rows = [
        CollectionInstance(connection=collection, release=release, instance_id=number, added_at=NOW)
        for number in range(2 * CHUNK + 1)
    ]
    ids = [row.pk for row in CollectionInstance.objects.bulk_create(rows)]
    # SQLite limits the parameters of a statement, so an insert of 500 rows takes some of them there.
    with django_assert_max_num_queries(4 + 3 * (4 if database.vendor == "postgresql" else 7)):
        done = set_own(collection.user_id, ids, amount_minor=5, currency="USD", note="box", now=NOW)
    assert done == OwnValue.objects.count() == 2 * CHUNK + 1
    assert set(on_copies()) == {(5, NOW)}


# At the same time ------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_changes_at_once_leave_copy_and_log_with_the_same_value():
    collection = make.make_connection()
    copies = [make.make_copy(collection) for _ in range(20)]
    start, errors = threading.Barrier(6), []

    def click(number: int) -> None:
        try:
            start.wait(10)
            now = NOW + timedelta(microseconds=number)
            if number % 3:
                set_usd(collection, *copies, minor=number, now=now)
            else:
                withdraw_own(collection.user_id, [copy.pk for copy in copies], now=now)
        except Exception as error:
            errors.append(error)
        finally:
            database.close()

    clicks = [threading.Thread(target=click, args=(number,)) for number in range(6)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join(30)
    assert not errors
    for copy in CollectionInstance.objects.all():
        newest = copy.own_values.order_by("set_at").last()
        assert (copy.own_minor, copy.own_set_at) == (newest.usd_minor, newest.set_at)


class Setting(DiscogsClient):
    """While it reads the copies, their owner sets a value for each."""

    def collection_page(self, username, page):
        answer = super().collection_page(username, page)
        copies = CollectionInstance.objects.filter(connection__discogs_username=username)
        set_usd(copies[0].connection, *copies, note="signed")
        return answer


@pytest.mark.django_db(transaction=True)
def test_import_step_at_that_moment_keeps_own_values(make_collector, generous_sandbox):
    user = make_collector(generous_sandbox, release_ids=[11, 12])
    import_all(user)
    copies = CollectionInstance.objects.order_by("release_id")
    generous_sandbox.world.edit_copy("collector_at_discogs", instance_id=copies[0].instance_id, rating=4)
    generous_sandbox.world.add_copies("collector_at_discogs", [13])
    reading = start_import(user.discogs_connection, now=NOW)
    while import_step(reading.pk, now=timezone.now(), client_for=Setting) is not None:
        pass
    assert list(copies.values_list("rating", "own_minor")) == [(4, 2500), (copies[1].rating, 2500), (0, None)]
    assert OwnValue.objects.filter(note="signed").count() == 2
