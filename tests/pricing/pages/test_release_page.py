"""The page of a release: what it says of a price, of its absence, of grades and of the owner's copies."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pricing.money import format as written
from pricing.pages.queries import ListQuery, collection_for, release_for, value_for
from pricing.value.cascade import Source
from pricing.value.freshness import Freshness
from tests import factories as make

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def collection():
    return make.make_connection()


def release_last_seen(collection, ago: timedelta):
    """Two copies of it, cheaper 100 days ago than when it was seen last."""
    release = make.make_release()
    for _ in range(2):
        make.make_copy(collection, release)
    make.make_snapshot(release, 4000, day=(NOW - timedelta(days=100)).date())
    make.make_snapshot(release, 5000, day=(NOW - ago).date())
    make.make_price(release, 5000, observed_at=NOW - ago)
    return release


@pytest.mark.parametrize(
    ("ago", "together", "moved"), [(timedelta(days=29), 10_000, 25.0), (timedelta(days=31), 0, None)]
)
def test_release_page_agrees_with_total_and_list(collection, ago, together, moved):
    release = release_last_seen(collection, ago)
    page = release_for(collection.user_id, release.pk, range_key="all", now=NOW)
    (row, _) = collection_for(collection.user_id, ListQuery(), now=NOW).rows
    assert page.held_minor == value_for(collection.user_id, now=NOW).amount_minor == together
    assert [each and each.percent for each in (page.statistics.change, row.change)] == [moved, moved]
    assert page.state == row.state
    assert (page.statistics.low_minor, page.statistics.high_minor) == (
        4000,
        5000,
    )  # what was seen on its days stays


@pytest.mark.parametrize(("state", "more"), [("recorded", 0), ("dead", 2)])
def test_next_try_is_read_only_of_a_failure(collection, django_assert_num_queries, state, more):
    release = make.make_release()
    make.make_copy(collection, release)
    run = make.make_run(collection, "finished", created_at=NOW)
    make.make_item(run, release, state, finished_at=NOW)
    with django_assert_num_queries(6 + more):
        page = release_for(collection.user_id, release.pk, range_key="all", now=NOW)
    assert bool(page.failure) == bool(page.next_try) == bool(more)


def test_release_page_shows_no_outdated_price(client, collection):
    release = release_last_seen(collection, timedelta(days=31))
    client.force_login(collection.user)
    html = client.get(f"/release/{release.pk}/?range=all").content.decode()
    assert "No recent price" in html
    assert "together" not in html
    assert "25.0 %" not in html
    assert "$40.00" in html
    assert "$50.00" in html


def test_release_page_of_unknown_figures_is_plain(client, collection):
    release = make.make_copy(collection).release
    make.make_price(release, None, status="gone", num_for_sale=None, want=None, have=None)
    client.force_login(collection.user)
    html = client.get(f"/release/{release.pk}/").content.decode()
    for name in (
        "Low",
        "Median",
        "For sale",
        "Want it",
        "Have it",
        "Wanted",
        "Scarcity",
        "Rating",
        "Volatility",
    ):
        assert f"<dt>{name}</dt>" not in html


# The last price seen, while none is for sale ---------------------------------------------------------


SEEN = {"last_minor": 1200, "last_priced_at": NOW - timedelta(days=8)}


def shown(client, collection, release) -> str:
    """The words of a release's page."""
    client.force_login(collection.user)
    html = client.get(f"/release/{release.pk}/?range=all").content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", html[html.index("<main") :]).split())


def test_carried_price_is_the_amount_of_now(collection):
    release = make.make_copy(collection, paid_minor=500, paid_currency="USD").release
    make.make_price(release, None, **SEEN)
    make.make_snapshot(release, 1000, day=(NOW - timedelta(days=20)).date())
    make.make_snapshot(release, None, day=NOW.date())
    page = release_for(collection.user_id, release.pk, range_key="all", now=NOW)
    page = replace(page, state=Freshness.CARRIED)
    assert (page.amount_minor, page.lowest_minor, page.held_minor) == (1200, None, 1200)
    assert page.statistics.now_minor == 1200
    assert [own.value.source for own in page.own_copies] == [Source.CARRIED]
    assert page.ladder is None


@pytest.mark.parametrize(
    ("status", "fields", "words"),
    [
        ("none_for_sale", SEEN, "None for sale since {since}; last seen at $12.00 on {seen}."),
        ("blocked", SEEN, "Blocked from sale since {since}; last seen at $12.00 on {seen}."),
        ("gone", {}, "Gone from Discogs since {since}."),
    ],
)
def test_release_without_a_price_says_since_when(client, collection, status, fields, words):
    release = make.make_copy(collection).release
    since = NOW - timedelta(days=7)
    make.make_price(release, None, status=status, status_since=since, **fields)
    days = {"since": since.date(), "seen": (NOW - timedelta(days=8)).date()}
    expected = words.format(**{name: written.day(day) for name, day in days.items()})
    assert expected in shown(client, collection, release).replace(" ; ", "; ").replace(" .", ".")


# The ladder, and the owner's copies ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("has_settings", "asked", "words"),
    [
        (False, None, "Fill in your seller settings at Discogs"),
        (True, None, "Discogs’ suggestion has not been fetched yet."),
        (None, None, "Discogs’ suggestion has not been fetched yet."),
        (True, NOW, "Discogs suggests no price for this release"),
    ],
)
def test_release_without_suggestion_says_why(client, has_settings, asked, words):
    collection = make.make_connection(has_seller_settings=has_settings)
    release = make.make_copy(collection).release
    make.make_price(release, 900, near_mint_at=asked)
    text = shown(client, collection, release)
    assert words in text
    assert "Very Good" not in text


def test_release_shows_grades_and_own_copies(client, collection):
    release = make.make_release()
    shelf = make.make_folder(collection, "Upper shelf")
    graded = {
        "media_condition": "Very Good Plus (VG+)",
        "sleeve_condition": "Very Good (VG)",
        "folder": shelf,
    }
    make.make_copy(collection, release, paid_minor=1000, paid_currency="USD", **graded)
    make.make_copy(collection, release, paid_minor=1000, paid_currency="EUR", removed_at=NOW)
    make.make_price(release, 900, near_mint_minor=1700, near_mint_at=NOW)
    text = shown(client, collection, release)
    mine = text[text.index("My copy") : text.index("History")]
    assert "VG+ media · VG sleeve Worth $13.00 in this grade, by Discogs’ suggestion Paid $10.00" in mine
    assert "Profit +$3.00" in mine
    assert "Place Upper shelf" in mine
    assert "€" not in mine
    assert "Very Good Plus VG+ my copy $13.00 Very Good VG $9.00 Lowest listing 5 for sale $9.00" in text
    assert "VG+ at 50 % of Near Mint, $8.50; VG at 25 % of Near Mint, $4.25" in text


def test_wanted_release_shows_no_own_copy(client, collection):
    release = make.make_release()
    make.make_want(collection, release)
    make.make_price(release, 900, near_mint_minor=1700, near_mint_at=NOW)
    text = shown(client, collection, release)
    assert "My copy" not in text
    assert "Near Mint NM $17.00" in text


def test_range_without_a_reading_keeps_the_other_ranges(client, collection):
    release = make.make_copy(collection).release
    make.make_price(release, 900, observed_at=NOW - timedelta(days=20))
    make.make_snapshot(release, 900, day=(NOW - timedelta(days=20)).date())
    client.force_login(collection.user)
    html = client.get(f"/release/{release.pk}/?range=1w").content.decode()
    assert "Nothing has been read in this range." in html
    assert 'href="?range=all"' in html
    assert "0 of 8 days" in html


def test_page_takes_as_many_queries_for_much_as_for_little(client, collection):
    client.force_login(collection.user)
    counts = []
    for days, copies in ((1, 1), (90, 9)):
        release = make.make_release()
        for _ in range(copies):
            make.make_copy(collection, release, media_condition="Mint (M)")
        make.make_price(release, 900, near_mint_minor=1700, near_mint_at=NOW)
        for ago in range(days):
            make.make_snapshot(release, 900 + ago, day=(NOW - timedelta(days=ago)).date())
        client.get(f"/release/{release.pk}/?range=all")  # the session remembers the range
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/release/{release.pk}/?range=all").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 14
