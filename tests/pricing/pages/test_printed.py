"""The list of all copies that is made for paper: same copies, order and total as the list on the screen."""

from datetime import timedelta

import pytest
from django.http import QueryDict
from django.utils import timezone

from collections_app.models import Preferences
from pricing.pages import queries
from pricing.value.freshness import STATE_LABELS, Freshness
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def collection():
    """Copies in every state, of two genres."""
    collection, now = make.make_connection(), timezone.now()
    make.fill_collection(collection, 6, now=now)
    for number, status in enumerate(("none_for_sale", "blocked", "gone")):
        make.make_price(
            make.make_copy(collection, media_condition="Good (G)").release, None, status=status, want=number
        )
    expired = make.make_copy(collection, make.make_release(title="Old")).release
    make.make_price(expired, 900, observed_at=now - timedelta(days=31))
    make.make_copy(collection, expired)
    make.make_copy(collection)
    make.make_copy(collection, expired, removed_at=now)
    return collection


def view(address: str) -> queries.ListQuery:
    return queries.ListQuery.of(QueryDict(address))


@pytest.mark.parametrize(
    "address", ["", "sort=title", "sort=-change", "genre=Jazz", "state=expired&q=old", "sort=-grade"]
)
def test_printed_list_is_the_list_of_the_page(collection, address):
    now, query = timezone.now(), view(address)
    page = queries.collection_for(collection.user_id, query, now=now)
    printed = queries.printed_for(collection.user_id, query, now=now)
    assert (printed.copies, printed.amount_minor, printed.currency) == (
        page.copies,
        page.amount_minor,
        page.currency,
    )
    assert [
        (
            row.title,
            row.state,
            row.state_label,
            row.amount_minor,
            row.currency or "",
            row.num_for_sale,
            row.want,
            row.observed_at,
            row.change,
        )
        for row in printed.rows
    ] == [
        (
            row.copy.release.title,
            row.state,
            row.state_label,
            row.amount_minor,
            row.currency,
            row.num_for_sale,
            row.want,
            row.observed_at,
            row.change,
        )
        for row in page.rows
    ]


def test_printed_list_has_every_copy(client, collection, monkeypatch):
    monkeypatch.setattr("pricing.pages.tables.collection.PAGE_SIZE", 2)
    client.force_login(collection.user)
    html = client.get("/collection/?print=all&page=3").content.decode()
    assert html.count("<tr>") == 1 + 12
    assert "12 copies" in html
    assert "<form" not in html
    assert "<button" not in html


def test_printed_list_takes_two_queries(collection, django_assert_num_queries):
    for extra in (0, 20):
        for _ in range(extra):
            make.make_price(make.make_copy(collection).release, 500)
        with django_assert_num_queries(2):
            queries.printed_for(collection.user_id, view(""), now=timezone.now())


def test_long_printed_list_says_it_was_cut(client, collection, monkeypatch):
    monkeypatch.setattr("pricing.pages.tables.printed.MAX_ROWS", 5)
    client.force_login(collection.user)
    html = client.get("/collection/?print=all").content.decode()
    assert html.count("<tr>") == 1 + 5
    assert "Only the first 5 of 12 copies are printed." in html


def test_printed_list_names_its_filters(client, collection):
    client.force_login(collection.user)
    html = " ".join(client.get("/collection/?print=all&q=old&state=expired&genre=").content.decode().split())
    assert f"Search: old · State: {STATE_LABELS[Freshness.EXPIRED]}" in html
    assert "Genre:" not in html


def test_printed_list_is_its_owners(client, collection, make_user):
    assert "/account/login/" in client.get("/collection/?print=all").url
    other = make.make_connection("other")
    client.force_login(other.user)
    response = client.get("/collection/?print=all")
    assert "Old" not in response.content.decode()
    assert "no-store" in response["Cache-Control"]


def test_printed_times_are_in_the_users_zone(client, time_machine):
    time_machine.move_to("2026-11-26 20:00:00+00:00", tick=False)
    collection = make.make_connection()
    release = make.make_copy(collection).release
    make.make_price(release, 500)
    Preferences.objects.create(user=collection.user, time_zone="Asia/Kathmandu")
    client.force_login(collection.user)
    for address in ("/collection/", "/collection/?print=all", "/dashboard/", f"/release/{release.pk}/"):
        html = client.get(address).content.decode()
        assert "Printed 27 Nov 2026, 01:45 Asia/Kathmandu" in html, address
        assert "Discogs user <bdi>collector_at_discogs</bdi>" in html, address
    assert "<td>27 Nov 2026</td>" in client.get("/collection/?print=all").content.decode()


def test_printed_cells_hold_no_markup_of_others(client, collection):
    hostile = "<img src=x onerror=alert(1)>"
    make.make_copy(
        collection,
        make.make_release(title=hostile, artists=hostile, format=hostile),
        media_condition="<i>x</i>",
    )
    client.force_login(collection.user)
    html = client.get("/collection/", {"print": "all", "q": "onerror"}).content.decode()
    assert hostile not in html
    assert html.count("&lt;img src=x onerror=alert(1)&gt;") == 3
    assert "<td>&lt;i&gt;x&lt;/i&gt;</td>" in html


def test_list_links_to_its_printed_form(client, collection):
    client.force_login(collection.user)
    html = client.get("/collection/?genre=Jazz&sort=title&page=1").content.decode()
    assert 'href="?genre=Jazz&amp;sort=title&amp;print=all"' in html
    assert "Print all 3 copies" in html
