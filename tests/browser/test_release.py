"""The page of a release in a real browser: the ladder, the owner's copies, the chart of bands and its cursor.

SCREENSHOTS=<directory> also saves a screenshot of each, for review.
"""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from collections_app.models import CollectionField, DiscogsConnection, Preferences
from pricing.money import format as written
from pricing.models import PriceSnapshot
from tests import factories as make
from tests.browser.test_pages import LOOKS, check, keep_picture, log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
RELEASE, UNPRICED, UNKNOWN = 4711, 4712, 4713


@pytest.fixture
def connection() -> DiscogsConnection:
    """Two copies of a release with a suggestion and a history, one that is not for sale any more, and a new one."""
    connection, now = make.make_connection(has_seller_settings=True), timezone.now()
    CollectionField.objects.create(connection=connection, discogs_id=7, name="Paid", role="paid")
    release = make.make_release(
        discogs_id=RELEASE,
        title="Maiden Voyage",
        artists="Herbie Hancock",
        labels="Blue Note",
        catalog_number="BST 84195",
        genres=["Jazz"],
        styles=["Modal", "Post Bop"],
    )
    shelf = make.make_folder(connection, "Jazz, upper shelf")
    make.make_copy(
        connection,
        release,
        folder=shelf,
        media_condition="Very Good Plus (VG+)",
        sleeve_condition="Very Good (VG)",
        paid_minor=2400,
        paid_currency="USD",
    )
    make.make_copy(connection, release, folder=shelf, paid_minor=3000, paid_currency="EUR")
    suggested = {"near_mint_minor": 8400, "near_mint_at": now - timedelta(days=2)}
    learned = {"s2": 0.14, "exposure_days": 120, "prior_variance": 0.002}
    market = {"num_for_sale": 12, "want": 412, "have": 1310, "rating_count": 86, "rating_average": 4.41}
    make.make_price(release, 3150, observed_at=now - timedelta(minutes=20), **suggested, **learned, **market)
    for ago in range(120, -1, -2):
        amount = None if 40 < ago < 60 else 3150 - ago * 7 + (ago * 37 % 11 - 5) * 45 * (ago > 0)
        facts = {"num_for_sale": 12 + ago // 9 + ago % 3, "want": 412 - ago // 4, "have": 1310 - ago // 3}
        make.make_snapshot(release, amount, day=now.date() - timedelta(days=ago), **facts)
    last = {"last_minor": 1200, "last_priced_at": now - timedelta(days=40)}
    since = {"status_since": now - timedelta(days=39), "num_for_sale": 0, "want": 3, "have": 9}
    sold_out = make.make_copy(connection, make.make_release(discogs_id=UNPRICED)).release
    make.make_price(sold_out, None, **last, **since)
    for ago in (45, 42, 30, 20, 0):
        amount = 1200 if ago > 40 else None
        make.make_snapshot(sold_out, amount, day=now.date() - timedelta(days=ago), num_for_sale=0, want=3)
    make.make_copy(connection, make.make_release(discogs_id=UNKNOWN))
    return connection


@pytest.mark.parametrize("look", LOOKS)
def test_release_page_is_accessible(live_server, browser_page, connection, look):
    log_in(browser_page, live_server.url, connection.user)
    for release in (RELEASE, UNPRICED, UNKNOWN):
        check(browser_page, look, f"{live_server.url}/release/{release}/?range=all")
