"""A release whose last price is too old to count: its page says of it what the collection says."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pricing.pages.queries import ListQuery, collection_for, release_for, value_for
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
