"""Pages on both bases: the switch, what a value rests on, the steps of a change, and the copies to grade first."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from collections_app.models import Preferences
from pricing.daily.parts import Moved
from pricing.models import CollectionValue, DiscogsRange
from pricing.pages.queries import ListQuery, collection_for, value_for
from pricing.pages.waterfall import index_over, waterfall_of
from pricing.value.cascade import Basis
from pricing.value.change import Part
from tests import factories as make

pytestmark = pytest.mark.django_db
VG_PLUS = "Very Good Plus (VG+)"


@pytest.fixture
def collector(client):
    """One copy at $12.00 that is worth $26.00 by its grade, one at $5.00 without a grade, one last seen at $3.00."""
    connection = make.make_connection(has_seller_settings=True)
    now = timezone.now()
    suggested = {"near_mint_minor": 3400, "near_mint_at": now, "near_mint_since": now.date()}
    for amount, grade, facts in (
        (1200, VG_PLUS, suggested),
        (500, "", suggested),
        (None, "", {"last_minor": 300, "last_priced_at": now - timedelta(days=3)}),
    ):
        copy = make.make_copy(connection, media_condition=grade, added_at=now - timedelta(days=99))
        make.make_price(copy.release, amount, **facts)
    client.force_login(connection.user)
    return connection


def test_switch_is_remembered_on_every_page(client, collector):
    assert '$20<span class="minor">.00' in client.get("/dashboard/").content.decode()
    client.post("/settings/basis/", {"basis": "grade", "next": "/collection/"})
    dashboard, listed = (client.get(path).content.decode() for path in ("/dashboard/", "/collection/"))
    assert '$34<span class="minor">.00' in dashboard
    assert "1 at the price for the grade" in dashboard
    assert "1 at the last price seen" in dashboard
    assert "by grade" in listed
    assert "$34.00" in listed


@pytest.mark.parametrize("basis", ["", "median", "FLOOR"])
def test_unknown_basis_changes_nothing(client, collector, basis):
    assert client.post("/settings/basis/", {"basis": basis, "next": "//evil.example"}).url == "/dashboard/"
    assert not Preferences.objects.exclude(basis="floor").exists()


@pytest.mark.parametrize("basis", Basis)
def test_list_adds_up_to_the_value(collector, basis):
    now = timezone.now()
    page = collection_for(collector.user_id, ListQuery(basis=basis), now=now)
    value = value_for(collector.user_id, now=now, basis=basis)
    assert page.amount_minor == value.amount_minor == sum(row.amount_minor for row in page.rows)
    assert value.amount_minor == (3400 if basis == Basis.GRADE else 2000)


def test_copies_to_grade_first_are_those_that_a_grade_tells_most_about(client, collector):
    now = timezone.now()
    for amount, near_mint in ((2500, 3400), (500, 9000)):
        copy = make.make_copy(collector, media_condition="?")
        facts = {"near_mint_minor": near_mint, "observed_at": now - timedelta(days=3)}
        make.make_price(copy.release, amount, **facts)
    page = collection_for(collector.user_id, ListQuery(state="ungraded"), now=now)
    assert [row.amount_minor for row in page.rows] == [500, 2500, 500]
    assert page.rows[0].copy.release.price.near_mint_minor == 9000
    assert "Grade these first" in client.get("/dashboard/").content.decode()


def test_range_of_discogs_stands_beside_both_totals(client, collector):
    amounts = {"minimum_minor": 1000, "median_minor": 3000, "maximum_minor": 9000}
    day = timezone.now().date()
    DiscogsRange.objects.create(connection=collector, day=day, currency="USD", **amounts)
    html = client.get("/dashboard/").content.decode()
    shown = re.search(r'<section class="definitions".*?</section>', html, re.S)[0]
    assert re.findall(r'<p class="n">(.*?)</p>', shown) == ["$20.00", "$34.00", "$10.00", "$30.00", "$90.00"]


def test_waterfall_leaves_out_what_did_not_move():
    parts = {Part.PRICE: Moved(2, -30, 400), Part.COVERAGE: Moved(0, 0, 0), Part.OWN: Moved(1, 50, 10)}
    fall = waterfall_of(parts, before_minor=410)
    steps = [(step.part, step.before_minor, step.after_minor) for step in fall.steps]
    assert steps == [(Part.PRICE, 410, 380), (Part.OWN, 380, 430)]
    assert fall.after_minor == 430


def test_index_needs_a_copy_priced_on_two_days():
    points = [CollectionValue(like_minor=1000, price_minor=-999), CollectionValue(like_minor=0)]
    assert index_over(points) is None
    points += [CollectionValue(like_minor=1000, price_minor=41)]
    change = index_over(points)
    assert (change.then, change.now) == (10_000, 10_410)
