"""A change that is too little to be told as a share is none, on every page that shows one."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pricing.pages.queries.movers import movers_for
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelf():
    """A copy and a collection that lost 0.02 per cent, an amount that shows, in a hundred days."""
    shelf, then = make.make_connection(), timezone.now().date() - timedelta(days=100)
    release = make.make_instance(shelf, make.make_release(discogs_id=4711)).release
    make.make_price(release, 49_990)
    make.make_snapshot(release, 50_000, day=then)
    make.make_value(shelf, 50_000, day=then)
    return shelf


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/dashboard/?range=all", "Unchanged since the first day"),
        ("/collection/", "unchanged"),
        ("/release/4711/?range=all", "unchanged"),
    ],
)
def test_small_change_has_no_arrow_or_colour(client, shelf, address, words):
    client.force_login(shelf.user)
    html = client.get(address).content.decode()
    assert words in html
    assert "0.0 %" not in html
    assert "▼" not in html


def test_small_change_is_no_gain_or_loss(shelf):
    now = timezone.now()
    assert movers_for(shelf.user_id, start=now.date() - timedelta(days=99), now=now) == ([], [])
