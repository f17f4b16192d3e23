"""A change that is too little to be told as a share is none, on every page that shows one."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pricing.pages.queries.movers import ranked_for
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def collection():
    """A copy and a collection that lost 0.02 per cent, an amount that shows, in a hundred days."""
    collection, then = make.make_connection(), timezone.now().date() - timedelta(days=100)
    bought = timezone.now() - timedelta(days=200)
    release = make.make_copy(collection, make.make_release(discogs_id=4711), added_at=bought).release
    make.make_price(release, 49_990)
    make.make_snapshot(release, 50_000, day=then)
    make.make_value(collection, 50_000, day=then)
    return collection


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/dashboard/?range=all", "Prices unchanged since the first day"),
        ("/collection/", "unchanged"),
        ("/release/4711/?range=all", "unchanged"),
    ],
)
def test_small_change_has_no_arrow_or_colour(client, collection, address, words):
    client.force_login(collection.user)
    html = client.get(address).content.decode()
    assert words in html
    assert "0.0 %" not in html
    assert "▼" not in html


def test_small_change_is_no_gain_or_loss(collection):
    now = timezone.now()
    ranked = ranked_for(collection.user_id, start=now.date() - timedelta(days=99), now=now)
    assert (ranked.gainers, ranked.losers) == ([], [])
