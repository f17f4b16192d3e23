"""What a search and an address may cost: words, characters, and time of the database."""

import time

import pytest
from django.db import connection

from collections_app.search import CUT, words_of
from pricing.pages.tables.collection import ListQuery, collection_for
from pricing.pages.time_limit import TookTooLong, time_limit
from tests import factories as make
from tests.accounts import force_login_with_code
from tests.test_hostile_requests import list_address, lists

pytestmark = pytest.mark.django_db
ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300000000) SELECT sum(i) FROM n",
    "postgresql": "SELECT pg_sleep(30)",
}


@pytest.fixture
def collector(client):
    collection = make.make_connection()
    make.make_price(make.make_copy(collection, make.make_release(title="Found 100% a_b")).release, 500)
    client.force_login(collection.user)
    return client


@pytest.mark.parametrize(
    ("text", "words", "is_cut"),
    [
        ("", [], False),
        ("  miles   davis ", ["miles", "davis"], False),
        ("a a a a a a a a a a", ["a"], False),
        ("1 2 3 4 5 6 7 8", list("12345678"), False),
        ("1 2 3 4 5 6 7 8 9", list("12345678"), True),
        ("x" * 60, ["x" * 60], False),
        ("x" * 61, ["x" * 60], True),
    ],
)
def test_search_words_are_bounded(text, words, is_cut):
    assert words_of(text) == (words, is_cut)


@pytest.mark.parametrize(("words", "is_told"), [(8, False), (9, True), (50, True)])
def test_collection_says_when_a_search_was_cut(collector, words, is_told):
    html = collector.get("/collection/", {"q": " ".join(f"w{n}" for n in range(words))}).content.decode()
    assert (CUT in html) is is_told


def test_many_words_do_not_grow_the_query(collector, django_assert_num_queries):
    def asked(words: int) -> int:
        with django_assert_num_queries(FILTERED, exact=False) as seen:
            collector.get("/collection/", {"q": " ".join(f"w{n}" for n in range(words))})
        return max(query["sql"].upper().count("LIKE") for query in seen.captured_queries)

    assert asked(8) == asked(200) == 32


FILTERED = 60  # more than there are; only the text of the queries counts here


@pytest.mark.parametrize(
    ("q", "copies"), [("100%", 1), ("a_b", 1), ("1%0", 0), ("a_", 1), ("F_und", 0), ("\\", 0)]
)
def test_wildcards_in_a_search_are_literal(collector, q, copies):
    assert collector.get("/collection/", {"q": q}).context["page"].copies == copies


@pytest.mark.parametrize(
    "query", [f"page={10**30}", "page=-1", "page=1e9", "sort=--price", "sort=" + "x" * 4000]
)
def test_odd_pages_and_sorts_are_the_first_page(collector, query):
    page = collector.get(f"/collection/?{query}").context["page"]
    assert (page.copies, page.query.page, page.query.sort) == (1, 1, "-price")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("q=" + "x" * 1_000_000, 400),
        ("q=" + "x" * 7_000, 200),
        ("&".join(["genre=Jazz"] * 700), 200),
        ("&".join(["a"] * 1_001), 400),
    ],
)
@pytest.mark.parametrize("address", ["/collection/", "/dashboard/"])
def test_address_length_is_bounded(collector, address, query, status):
    assert collector.get(f"{address}?{query}").status_code == status


def test_list_links_repeat_known_values_only(collector):
    html = collector.get("/collection/?" + "junk=1&" * 600 + "q=Found&sort=title").content.decode()
    assert "junk" not in html
    assert "?q=Found&amp;sort=-title" in html


@pytest.mark.parametrize("page", lists(), ids=list_address)
def test_admin_search_is_cut_and_says_so(client, make_staff, page):
    force_login_with_code(client, make_staff("boss"))
    address = list_address(page)
    html = client.get(address, {"q": " ".join(f"w{n}" for n in range(200))}, follow=True).content.decode()
    assert CUT in html


def test_time_limit_stops_the_database():
    started = time.monotonic()
    with pytest.raises(TookTooLong), time_limit(0.3), connection.cursor() as cursor:
        cursor.execute(ENDLESS[connection.vendor])
    assert time.monotonic() - started < 15


@pytest.mark.django_db(transaction=True)
def test_time_limit_ends_with_its_block():
    with time_limit(0.3):
        make.make_release()
    slow = {
        "sqlite": ENDLESS["sqlite"].replace("300000000", "3000000"),
        "postgresql": "SELECT pg_sleep(0.6)",
    }
    with connection.cursor() as cursor:
        cursor.execute(slow[connection.vendor])


def test_slow_search_is_answered_kindly(client, monkeypatch):
    """The limit is set to nothing: a collection large enough to take seconds would take minutes to make."""
    monkeypatch.setattr("pricing.pages.tables.collection.MAX_SEARCH_SECONDS", 0.001)
    collection = make.make_connection()
    for number in range(1_500):
        make.make_copy(collection, make.make_release(title=f"Title {number} abcdefgh"))
    client.force_login(collection.user)
    response = client.get("/collection/", {"q": "a b c d e f g h"})
    assert response.status_code == 503
    assert "fewer or longer words" in response.content.decode()
    assert client.get("/collection/").status_code == 200
    with pytest.raises(TookTooLong):
        collection_for(collection.user_id, ListQuery(q="a b c d e f g h"), now=collection.connected_at)
