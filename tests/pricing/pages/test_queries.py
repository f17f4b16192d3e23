from datetime import timedelta
from itertools import pairwise

import pytest
from django.http import QueryDict
from django.utils import timezone

from collections_app.models import Decision, ImportPass
from pricing.models import Doubt, PriceSnapshot
from pricing.pages import queries
from pricing.pages.queries.groups import bars_for
from pricing.pages.queries.history import MAX_POINTS, history_of
from pricing.pages.queries.movers import has_demo_data, ranked_for
from pricing.pages.tables.options import options_of
from pricing.value.freshness import Freshness
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def collection():
    return make.make_connection()


def view(**fields):
    query = QueryDict(mutable=True)
    query.update(fields)
    return queries.ListQuery.of(query)


def titles(page):
    return [row.copy.release.title for row in page.rows]


def owned(collection, title, amount=None, **fields):
    """A copy of a release with a price; `price_` fields go to the price, `copy_` ones to the copy."""
    parts = {"price_": {}, "copy_": {}, "": {}}
    for name, value in fields.items():
        prefix = next(prefix for prefix in parts if name.startswith(prefix))
        parts[prefix][name.removeprefix(prefix)] = value
    release = make.make_release(title=title, **parts[""])
    make.make_copy(collection, release, **parts["copy_"])
    if amount is not None or parts["price_"]:
        make.make_price(release, amount, **parts["price_"])
    return release


@pytest.mark.parametrize("grouping", queries.GROUPINGS)
def test_groups_add_up_to_the_estimated_value(collection, now, grouping):
    folder = make.make_folder(collection, "Shelf")
    owned(collection, "a", 1000, genres=["Rock", "Pop"], copy_folder=folder)
    owned(collection, "b", 2000, genres=[], year=None, format="")
    owned(collection, "old", 4000, price_observed_at=now - timedelta(days=31))
    owned(collection, "none", None, price_num_for_sale=0)
    twice = owned(collection, "c", 500, genres=["Jazz"], year=1999)
    make.make_copy(collection, twice)
    bars = bars_for(collection.user_id, queries.GROUPINGS[grouping], now=now)
    assert (
        sum(bar.amount_minor for bar in bars)
        == queries.value_for(collection.user_id, now=now).amount_minor
        == 4000
    )


def test_small_groups_are_merged(collection, now):
    for number in range(10):
        owned(collection, str(number), 1000 + number, genres=[f"Genre {number}"])
    bars = bars_for(collection.user_id, queries.GROUPINGS["genre"], now=now)
    assert len(bars) == 8
    assert bars[-1].is_rest
    assert bars[-1].copies == 3
    assert bars[0].width == "100.0%"


def test_movers_compare_with_the_range_start(collection, now):
    start = now.date() - timedelta(days=30)
    up, down, still = (owned(collection, title, 2000) for title in ("up", "down", "still"))
    make.make_snapshot(up, 500, day=start - timedelta(days=40))
    make.make_snapshot(up, 1000, day=start - timedelta(days=3))
    make.make_snapshot(up, 1900, day=start + timedelta(days=3))
    make.make_snapshot(down, 4000, day=start)
    make.make_snapshot(still, 2000, day=start)
    ranked = ranked_for(collection.user_id, start=start, now=now)
    assert [(m.release.title, m.change.then, m.change.now) for m in ranked.gainers] == [("up", 1000, 2000)]
    assert [(m.release.title, m.change.percent) for m in ranked.losers] == [("down", -50.0)]


def test_movers_omit_unsold_and_cheap_releases(collection, now):
    start = now.date() - timedelta(days=30)
    cents, unsold, new = (owned(collection, title, 90) for title in ("cents", "unsold", "new"))
    make.make_snapshot(cents, 10, day=start)
    make.make_snapshot(unsold, None, day=start)
    ranked = ranked_for(collection.user_id, start=start, now=now)
    assert (ranked.gainers, ranked.losers) == ([], [])
    assert new.title == "new"


def test_invented_history_is_recognised(collection, now):
    release = owned(collection, "a", 100)
    start = now.date() - timedelta(days=10)
    make.make_snapshot(release, 100, day=start)
    assert not has_demo_data([release.pk], start=start)
    PriceSnapshot.objects.update(source="demo")
    assert has_demo_data([release.pk], start=start)


def test_headline_changes_over_its_range(collection, now):
    long_ago = now - timedelta(days=300)
    release = owned(collection, "a", 3000, price_num_for_sale=4, price_want=9, copy_added_at=long_ago)
    for ago, value in ((200, 1000), (91, 2000), (20, 2500)):
        make.make_value(collection, value, day=now.date() - timedelta(days=ago))
        make.make_snapshot(release, value, day=now.date() - timedelta(days=ago))
    headline = queries.headline_for(collection.user_id, range_key="3m", now=now)
    assert (headline.change.then, headline.change.now) == (2000, 3000)
    assert headline.over_range("want").difference == -11
    assert queries.headline_for(collection.user_id, range_key="all", now=now).change.then == 1000
    assert queries.headline_for(collection.user_id, range_key="1y", now=now).span.key == "all"


def test_todays_value_is_computed_now(collection, now):
    owned(collection, "a", 3000)
    make.make_value(collection, 1, day=now.date())
    make.make_value(collection, 2000, day=now.date() - timedelta(days=7))
    points = queries.headline_for(collection.user_id, range_key="1w", now=now).points
    assert [point.value_minor for point in points] == [2000, 3000]


def test_without_history_there_is_no_change(collection, now):
    owned(collection, "a", 3000)
    assert queries.headline_for(collection.user_id, range_key="3m", now=now).change is None


def test_meter_covers_every_copy(collection, now):
    owned(collection, "fresh", 100)
    owned(collection, "ageing", 100, price_observed_at=now - timedelta(hours=7))
    owned(collection, "stale", 100, price_observed_at=now - timedelta(days=2))
    owned(collection, "expired", 100, price_observed_at=now - timedelta(days=31))
    owned(collection, "none", price_status="none_for_sale")
    owned(collection, "gone", price_status="gone")
    make.make_copy(collection)
    meter = queries.headline_for(collection.user_id, range_key="", now=now).meter
    assert [(part.key, part.copies) for part in meter] == [
        ("fresh", 1),
        ("ageing", 1),
        ("stale", 1),
        ("none", 1),
        ("shut", 1),
        ("never", 2),
    ]


def test_meter_figure_opens_that_many_copies(collection, now):
    for number in range(3):
        owned(collection, f"blocked {number}", price_status="blocked")
    for number in range(2):
        owned(collection, f"gone {number}", price_status="gone")
    owned(collection, "none", price_status="none_for_sale")
    owned(collection, "fresh", 100)
    owned(collection, "ageing", 100, price_observed_at=now - timedelta(hours=7))
    owned(collection, "stale", 100, price_observed_at=now - timedelta(days=2))
    owned(collection, "expired", 100, price_observed_at=now - timedelta(days=31))
    make.make_copy(collection)
    meter = queries.headline_for(collection.user_id, range_key="", now=now).meter
    opened = {
        part.key: queries.collection_for(collection.user_id, view(state=part.filter), now=now).copies
        for part in meter
    }
    assert opened == {part.key: part.copies for part in meter}
    assert (opened["shut"], opened["never"]) == (5, 2)


def test_attention_opens_that_many_copies(collection, now):
    run = make.make_run(collection, "finished")
    twice, sold = owned(collection, "twice", 100), make.make_release(title="sold")
    make.make_copy(collection, twice)
    make.make_copy(collection, sold, removed_at=now)
    for release in (twice, sold):
        make.make_item(run, release, "dead")
    for status in ("none_for_sale", "blocked", "gone"):
        owned(collection, status, price_status=status)
    owned(collection, "carried", price_last_minor=1, price_last_priced_at=now - timedelta(days=3))
    board = queries.dashboard_for(collection.user_id, range_key="", group="genre", now=now)
    opened = {
        row.state: queries.collection_for(collection.user_id, view(state=row.state), now=now).copies
        for row in board.attention
    }
    assert opened == {row.state: row.copies for row in board.attention}
    assert opened["failed"] == 2


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"q": "boat"}, ["Night Boat"]),
        ({"q": "night quartet"}, ["Night Boat"]),
        ({"q": "ABC 12"}, ["Night Boat"]),
        ({"q": "nothing like it"}, []),
        ({"genre": "Folk, World, & Country"}, ["Plain"]),
        ({"genre": "Country"}, []),
        ({"format": "LP"}, ["Night Boat"]),
        ({"decade": "1990s"}, ["Plain"]),
        ({"decade": "s"}, ["Night Boat", "Plain"]),
        ({"folder": "Für später"}, ["Plain"]),
        ({"state": "stale"}, ["Plain"]),
        ({"state": "made up"}, ["Night Boat", "Plain"]),
        ({"q": "%"}, []),
    ],
)
def test_list_is_searched_and_filtered(collection, now, fields, found):
    folder = make.make_folder(collection, "Für später")
    owned(
        collection,
        "Night Boat",
        500,
        artists="The Quartet",
        labels="Harbour",
        catalog_number="ABC 12",
        format="LP, Album",
    )
    owned(
        collection,
        "Plain",
        300,
        artists="Someone",
        year=1994,
        format="LPs",
        genres=["Folk, World, & Country"],
        copy_folder=folder,
        price_observed_at=now - timedelta(days=3),
    )
    page = queries.collection_for(collection.user_id, view(**fields), now=now)
    assert titles(page) == found
    assert page.copies == len(found)


def test_folder_filter_omits_folder_of_all_copies(collection, now):
    make.make_folder(collection, "All", discogs_id=0)
    owned(collection, "Plain", copy_folder=make.make_folder(collection, "Jazz"))
    page = queries.collection_for(collection.user_id, view(), now=now)
    assert page.options.folders == ["Jazz"]


@pytest.mark.parametrize("state", [*Freshness, "failed"])
def test_each_state_filter_matches_its_badge(collection, now, state):
    owned(collection, "fresh", 1)
    owned(collection, "ageing", 1, price_observed_at=now - timedelta(hours=7))
    owned(collection, "stale", 1, price_observed_at=now - timedelta(days=2))
    owned(collection, "expired", 1, price_observed_at=now - timedelta(days=31))
    owned(collection, "quarantined", 1, price_doubt=Doubt.JUMP)
    owned(collection, "left_out", 1, copy_price_decision=Decision.NEVER)
    for status in ("none_for_sale", "blocked", "gone"):
        owned(collection, status, price_status=status)
    owned(collection, "carried", price_last_minor=1, price_last_priced_at=now - timedelta(days=3))
    make.make_copy(collection, make.make_release(title="never_fetched"))
    failed = owned(collection, "failed", 1)
    make.make_item(make.make_run(collection, "finished"), failed, "dead")
    page = queries.collection_for(collection.user_id, view(state=state), now=now)
    expected = {"fresh": {"fresh", "failed"}}.get(str(state), {str(state)})
    assert set(titles(page)) == expected
    assert {row.state for row in page.rows} == {Freshness.FRESH if state == "failed" else state}


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("-price", "bac"),
        ("price", "abc"),
        ("title", "abc"),
        ("-title", "cba"),
        ("artist", "bca"),
        ("-year", "acb"),
        ("-grade", "abc"),
        ("grade", "bac"),
        ("sale", "abc"),
        ("-want", "bac"),
        ("-checked", "abc"),
        ("-change", "abc"),
        ("nonsense", "bac"),
        ("release__title", "bac"),
    ],
)
def test_list_sorts_unknown_values_last(collection, now, sort, order):
    start = now.date() - timedelta(days=91)
    a = owned(
        collection,
        "a",
        100,
        artists="z",
        year=2001,
        copy_media_condition="Near Mint (NM or M-)",
        price_num_for_sale=1,
        price_want=3,
    )
    b = owned(
        collection,
        "b",
        200,
        artists="x",
        year=1980,
        copy_media_condition="Good (G)",
        price_num_for_sale=2,
        price_want=4,
        price_observed_at=now - timedelta(hours=3),
    )
    owned(collection, "c", artists="y", year=1990, copy_added_at=now - timedelta(days=1))
    make.make_snapshot(a, 50, day=start)
    make.make_snapshot(b, 190, day=start)
    page = queries.collection_for(collection.user_id, view(sort=sort), now=now)
    assert "".join(titles(page)) == order


def test_list_sum_is_the_estimated_value(collection, now):
    twice = owned(collection, "a", 1000)
    make.make_copy(collection, twice)
    owned(collection, "old", 7000, price_observed_at=now - timedelta(days=31))
    make.make_copy(collection, twice, removed_at=now)
    page = queries.collection_for(collection.user_id, view(), now=now)
    assert (page.copies, page.amount_minor) == (3, 2000)


def test_sum_of_nothing_is_none(collection, now):
    owned(collection, "old", 7000, price_observed_at=now - timedelta(days=31))
    owned(collection, "none", price_status="none_for_sale")
    assert queries.collection_for(collection.user_id, view(), now=now).amount_minor is None


def test_row_names_its_last_failure(collection, now):
    failed, later, missed, kept = (
        owned(collection, title) for title in ("failed", "later", "missed", "kept")
    )
    make.make_price(later, 100, observed_at=now)
    make.make_price(missed, 100, observed_at=now - timedelta(days=2))
    make.make_price(kept, 100, observed_at=now - timedelta(days=2))
    run, ended = make.make_run(collection, "finished"), now - timedelta(hours=1)
    for release in (failed, later, missed, kept):
        make.make_item(run, release, "dead", finished_at=ended, error_kind="network")
    make.make_item(make.make_run(collection, "finished"), kept, "not_found", finished_at=now)
    rows = queries.collection_for(collection.user_id, view(), now=now).rows
    labels = {row.copy.release.title: (row.state_label, row.failure_reason) for row in rows}
    assert labels == {
        "failed": ("Failed", "Discogs did not answer."),
        "later": ("Fresh", ""),
        "missed": ("Stale", "Discogs did not answer."),
        "kept": ("Stale", ""),
    }


def test_row_shows_three_months_of_change(collection, now):
    release = owned(collection, "a", 1200)
    for ago, amount in ((95, 800), (91, 1000), (40, None), (20, 1100), (0, 1200)):
        make.make_snapshot(release, amount, day=now.date() - timedelta(days=ago))
    row = queries.collection_for(collection.user_id, view(), now=now).rows[0]
    assert row.change.percent == 20.0
    assert len(row.spark) == 1


def test_pages_have_fifty_rows(collection, now):
    for number in range(51):
        make.make_copy(collection, make.make_release(title=f"{number:02}"))
    first = queries.collection_for(collection.user_id, view(sort="title"), now=now)
    last = queries.collection_for(collection.user_id, view(sort="title", page="99"), now=now)
    assert (len(first.rows), first.pages) == (50, [1, 2])
    assert titles(last) == ["50"]
    assert last.query.page == 2


@pytest.mark.parametrize("page", ["0", "-1", "x", "", "²", "9" * 40])
def test_invalid_page_number_is_harmless(collection, now, page):
    assert queries.collection_for(collection.user_id, view(page=page), now=now).query.page == 1


def test_runs_and_counts_take_one_query(collection, django_assert_num_queries):
    run = make.make_run(collection)
    for state in ("due", "recorded", "dead", "cancelled", None):
        make.make_item(run, make.make_release(), state)
    make.make_run(collection, "finished")
    with django_assert_num_queries(1):
        newest, oldest = queries.runs_for(collection.user_id)
    assert (oldest.total, oldest.done, oldest.failed, oldest.cancelled) == (5, 2, 1, 1)
    assert newest.total == 0


def test_choices_follow_the_next_import(collection, now, django_assert_num_queries):
    """Copies come and go with imports alone: between two of them the choices cost one query."""

    def import_pass(**fields):
        return ImportPass.objects.create(connection=collection, started_at=now, **fields)

    owned(collection, "a", genres=["Jazz"])
    import_pass(state="complete", instances_seen=1)
    assert options_of(collection.user_id).genres == ["Jazz"]
    owned(collection, "b", genres=["Rock"])
    with django_assert_num_queries(1):
        assert options_of(collection.user_id).genres == ["Jazz"]
    running = import_pass(instances_seen=2)
    assert options_of(collection.user_id).genres == ["Jazz", "Rock"]
    owned(collection, "c", genres=["Folk"])
    ImportPass.objects.filter(pk=running.pk).update(instances_seen=3)
    assert options_of(collection.user_id).genres == ["Folk", "Jazz", "Rock"]


def test_sparkline_reads_few_of_many_days(collection, now):
    daily, weekly = owned(collection, "daily", 1), owned(collection, "weekly", 1)
    start = now.date() - timedelta(days=91)
    for ago in range(95):
        make.make_snapshot(daily, 1000 + ago, day=now.date() - timedelta(days=ago))
        if ago % 7 == 0:
            make.make_snapshot(weekly, 1000 + ago, day=now.date() - timedelta(days=ago))
    history = history_of({daily.pk, weekly.pk}, start=start)
    assert len(history[weekly.pk]) == 14
    assert 23 <= len(history[daily.pk]) <= MAX_POINTS
    assert history[daily.pk][-1] == (now.date(), 1000)
    gaps = {later[0] - earlier[0] for earlier, later in pairwise(history[daily.pk])}
    assert gaps == {timedelta(days=4)}


def test_filtered_list_sums_what_it_lists(collection, now):
    """A filtered list is read once: its total and its page are those of the same copies."""
    for number in range(60):
        owned(collection, f"Blue {number}", 100 + number if number else None, price_num_for_sale=1)
    owned(collection, "Red", 5000)
    page = queries.collection_for(collection.user_id, view(q="blue", page="2", sort="price"), now=now)
    assert (page.copies, page.amount_minor) == (60, sum(range(101, 160)))
    assert [row.amount_minor for row in page.rows] == [*range(151, 160), None]
