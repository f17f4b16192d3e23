"""Failed releases: the reason in plain words, and when they are tried again, on the run's page, list and release."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command

from collections_app.discogs.errors import Kind
from collections_app.models import Preferences
from pricing.pages import queries
from pricing.pages.queries import failures
from pricing.pages.queries.failures import REASONS, next_try
from pricing.sync.progress import progress_of
from tests import factories as make

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 26, 15, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def at_noon():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def collection(client):
    connection = make.make_connection()
    client.force_login(connection.user)
    return connection


@pytest.fixture
def run(collection):
    started = NOW - timedelta(hours=2)
    return make.make_run(collection, "finished", created_at=started, finished_at=NOW - timedelta(hours=1))


def fail(run, release, kind="network"):
    make.make_item(run, release, "dead", error_kind=kind, finished_at=NOW - timedelta(hours=1))


def text(response):
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def listed(run, collection):
    return queries.failures_of(progress_of(run, now=NOW), collection, now=NOW)


def test_every_kind_of_error_has_a_reason():
    assert set(REASONS) == set(Kind)
    assert all(reason.endswith(".") for reason in REASONS.values())


def test_run_page_lists_its_failed_releases(client, collection, run):
    release = make.make_copy(
        collection, make.make_release(title="Blue Train", artists="John Coltrane")
    ).release
    fail(run, release)
    make.make_item(run, make.make_release(title="Fine"), "recorded")
    html = text(client.get(f"/syncs/{run.pk}/"))
    part = html.partition('id="failed"')[2].partition("</section>")[0]
    assert f'<a href="/release/{release.pk}/">Blue Train</a>' in part
    assert "John Coltrane" in part
    assert "Discogs did not answer." in part
    assert "a release is tried again with the next sync, 27 Nov, 13:00." in part
    assert "Fine" not in part


def test_failures_follow_what_happened_since(collection, run):
    again, fetched, sold = (make.make_release(title=title) for title in ("again", "fetched", "sold"))
    for release in (again, fetched):
        make.make_copy(collection, release)
    make.make_price(again, 100, observed_at=NOW - timedelta(days=1))
    make.make_price(fetched, 100, observed_at=NOW)
    for release in (again, fetched, sold):
        fail(run, release)
    assert {row.release.title: row.then for row in listed(run, collection).rows} == {
        "again": "",
        "fetched": "Fetched since.",
        "sold": "Not tried again: it is not in your collection any more.",
    }


def test_long_list_of_failed_releases_is_counted(client, collection, run, monkeypatch):
    monkeypatch.setattr(failures, "MAX_LISTED", 2)
    for kind in ("network", "server", "server", ""):
        fail(run, make.make_release(), kind)
    found = listed(run, collection)
    assert (len(found.rows), found.more, sum(found.reasons.values())) == (2, 2, 4)
    assert "And 2 more." in text(client.get(f"/syncs/{run.pk}/"))


@pytest.mark.parametrize("failed", [0, 5])
def test_failed_releases_take_two_queries(collection, run, django_assert_num_queries, failed):
    for _ in range(failed):
        fail(run, make.make_copy(collection).release)
    progress = progress_of(run, now=NOW)
    with django_assert_num_queries(2):
        queries.failures_of(progress, collection, now=NOW)


@pytest.mark.parametrize(
    ("every", "state", "words"),
    [
        (24, "active", "tried again with the next sync, 27 Nov, 13:00"),
        (0, "active", "tried again when you start a sync"),
        (24, "private", "tried again when you start a sync"),
        (24, "reconnect_needed", "not tried again until you reconnect"),
        (24, "unreadable", "not tried again until you reconnect"),
    ],
)
def test_next_try_depends_on_the_schedule(collection, run, every, state, words):
    Preferences.objects.create(user=collection.user, sync_every_hours=every)
    collection.state = state
    collection.save()
    assert next_try(collection, now=NOW) == words


def test_next_try_of_an_overdue_sync_is_soon(collection, run):
    assert "in a moment" in next_try(collection, now=NOW + timedelta(days=2))


def test_next_try_without_connection_needs_one():
    assert next_try(None, now=NOW) == "not tried again until you reconnect"


def test_next_try_during_a_sync_is_after_it(collection, run):
    make.make_run(collection, "running", created_at=NOW)
    assert next_try(collection, now=NOW) == "tried again with the next sync, 27 Nov, 15:00"


def test_pages_name_the_failed_attempt(client, collection, run):
    release = make.make_copy(collection).release
    fail(run, release, "server")
    page = text(client.get(f"/release/{release.pk}/"))
    assert "Discogs answered with an error. It is tried again with the next sync, 27 Nov, 13:00." in page
    assert "Never fetched" not in page
    row = text(client.get("/collection/")).partition("<tbody>")[2]
    assert (
        "Last attempt failed: Discogs answered with an error. It is tried again with the next sync, 27 Nov, 13:00."
        in row
    )
    assert "Never fetched" not in row


def test_release_never_tried_is_never_fetched(client, collection, run):
    release = make.make_copy(collection).release
    assert "Never fetched" in text(client.get(f"/release/{release.pk}/"))
    assert "Never fetched" in text(client.get("/collection/")).partition("<tbody>")[2]
    assert "Last attempt" not in text(client.get(f"/release/{release.pk}/"))


def test_wanted_release_has_no_next_try(client, collection, run):
    release = make.make_release()
    make.make_want(collection, release)
    fail(run, release)
    assert "not tried again by a sync" in text(client.get(f"/release/{release.pk}/"))


# Sums of nothing


def test_list_without_prices_names_no_sum(client, collection):
    release = make.make_copy(collection).release
    make.make_price(release, None)
    assert "1 copy, which has no price" in text(client.get("/collection/"))
    make.make_copy(collection)
    html = text(client.get("/collection/"))
    assert "2 copies, none of which has a price" in html
    assert "$0" not in html
    assert "$0" not in text(client.get("/collection/?q=nothing-like-it"))
    make.make_price(make.make_copy(collection).release, 500)
    assert "$5.00</b> at the lowest listings" in text(client.get("/collection/"))
    assert "1 copy, which has no price" in text(client.get("/collection/?state=none_for_sale"))


def test_command_names_no_value_without_prices(collection):
    make.make_copy(collection)
    out = StringIO()
    call_command("collection_value", user="collector", stdout=out)
    assert out.getvalue() == "No value yet: no copy of 1 has a price.\n"
