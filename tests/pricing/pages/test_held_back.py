"""A price that looks wrong, on every page that shows it, and what its owner decides."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.http import QueryDict
from django.utils import timezone

from collections_app.models import CollectionInstance, Decision, PriceDecision
from pricing.models import Doubt
from pricing.pages import queries
from pricing.pages.queries.movers import ranked_for
from pricing.precision.weights import renew_of
from pricing.value.decisions import decide
from tests import factories as make

pytestmark = pytest.mark.django_db
NOW = timezone.now()
DAY = timedelta(days=1)
FACTS = {"last_minor": 6000, "last_priced_at": NOW - DAY, "num_for_sale": 12}


@pytest.fixture
def collection():
    return make.make_connection()


@pytest.fixture
def release(collection):
    """Two copies of a release that was 60.00 yesterday and is 4.00 today."""
    release = make.make_copy(collection, make.make_release(title="Doubtful")).release
    make.make_copy(collection, release)
    make.make_snapshot(release, 6000, day=(NOW - DAY).date())
    make.make_snapshot(release, 400, day=NOW.date(), doubt=Doubt.JUMP)
    make.make_price(release, 400, doubt=Doubt.JUMP, **FACTS)
    make.make_price(make.make_copy(collection, make.make_release(title="Sound")).release, 1000)
    return release


@pytest.fixture
def owner(client, collection):
    client.force_login(collection.user)
    return client


def text_of(client, address):
    html = client.get(address).content.decode()
    return " ".join(html.split())


def page_for(collection, release):
    return queries.release_for(collection.user_id, release.pk, range_key="all", now=NOW)


def test_release_page_gives_the_reason_with_figures(owner, release):
    text = text_of(owner, f"/release/{release.pk}/")
    assert "<b>$4.00</b> was $60.00 <time" in text
    assert "12 for sale." in text
    assert "Held back" in text
    for address in ("count", "leave-out"):
        assert f'action="/release/{release.pk}/{address}/"' in text
    assert f'action="/release/{release.pk}/undecide/"' not in text
    assert ", held back</td>" in text  # in the table behind the chart


def test_release_page_names_the_suggestion(owner, collection):
    release = make.make_copy(collection).release
    make.make_price(release, 100, doubt=Doubt.BELOW_SUGGESTION, num_for_sale=45, near_mint_minor=9000)
    text = text_of(owner, f"/release/{release.pk}/")
    assert "far below what Discogs suggests for Near Mint, $90.00, with 45 for sale." in text


def test_hidden_amounts_are_hidden_in_the_reason(owner, release, collection):
    owner.post("/settings/amounts/", {"hide": "1"})
    text = text_of(owner, f"/release/{release.pk}/")
    assert "was <span" in text
    assert "60.00" not in text


def test_figures_of_a_release_leave_the_doubt_out(collection, release):
    page = page_for(collection, release)
    assert (page.amount_minor, page.lowest_minor, page.statistics.change) == (None, 400, None)
    assert (page.statistics.low_minor, page.statistics.high_minor) == (6000, 6000)
    assert page.chart["price"] == [6000, None]
    decide(collection.user_id, release.pk, Decision.COUNT, now=NOW)
    page = page_for(collection, release)
    assert (page.amount_minor, page.held_minor, page.statistics.low_minor) == (400, 800, 400)


def test_buttons_store_and_withdraw_a_decision(owner, collection, release):
    totals = {"count": 1800, "leave-out": 1000, "undecide": 1000}
    states = {"count": "fresh", "leave-out": "left_out", "undecide": "quarantined"}
    for address, total in totals.items():
        answer = owner.post(f"/release/{release.pk}/{address}/", follow=True)
        assert answer.redirect_chain == [(f"/release/{release.pk}/", 302)]
        value = queries.value_for(collection.user_id, now=timezone.now())
        assert value.amount_minor == total
        assert page_for(collection, release).state == states[address]
    log = PriceDecision.objects.order_by("decided_at").values_list("decision", flat=True)
    assert list(log) == ["count", "never", ""]


def test_decided_release_offers_to_ask_again(owner, collection, release):
    decide(collection.user_id, release.pk, Decision.NEVER, now=NOW)
    text = text_of(owner, f"/release/{release.pk}/")
    assert "You decided never to count it" in text
    assert f'action="/release/{release.pk}/undecide/"' in text
    assert f'action="/release/{release.pk}/leave-out/"' not in text


def test_wanted_release_has_nothing_to_decide(owner, collection):
    release = make.make_release()
    make.make_want(collection, release)
    make.make_price(release, 400, doubt=Doubt.JUMP, **FACTS)
    text = text_of(owner, f"/release/{release.pk}/")
    assert "was $60.00" in text
    assert f"/release/{release.pk}/count/" not in text
    assert owner.post(f"/release/{release.pk}/count/").status_code == 404


def test_dashboard_asks_for_a_decision(owner, collection, release):
    text = text_of(owner, "/dashboard/")
    assert "1 of 3 priced" in text
    assert "?state=quarantined" in text
    assert "<u>Decide</u>" in text
    board = queries.dashboard_for(collection.user_id, range_key="all", group="genre", now=NOW)
    assert [(part.key, part.copies) for part in board.headline.meter] == [("fresh", 1), ("held", 2)]
    assert [(row.state, row.copies) for row in board.attention] == [("quarantined", 2)]
    assert [price.amount_minor for price in board.most_expensive] == [1000]
    decide(collection.user_id, release.pk, Decision.NEVER, now=NOW)
    board = queries.dashboard_for(collection.user_id, range_key="all", group="genre", now=NOW)
    assert [(row.label, row.copies) for row in board.attention] == [("Left out by you", 2)]


def test_list_marks_what_is_held_back(owner, collection, release):
    text = text_of(owner, "/collection/?state=quarantined")
    assert text.count('class="badge s-quarantined"') == 2
    assert "last counted: $60.00" in text
    assert "Sound" not in text
    printed = text_of(owner, "/collection/?print=all")
    assert printed.count("<td>Held back</td>") == 2
    query = QueryDict(mutable=True)
    page = queries.collection_for(collection.user_id, queries.ListQuery.of(query), now=NOW)
    assert page.amount_minor == 1000
    assert [row.copy.release.title for row in page.rows] == ["Sound", "Doubtful", "Doubtful"]
    assert {row.change for row in page.rows} == {None}


def test_movers_leave_doubted_readings_out(collection, release):
    start = (NOW - DAY).date()
    ranked = ranked_for(collection.user_id, start=start, now=NOW)
    assert (ranked.gainers, ranked.losers) == ([], [])
    assert release.pk not in [price.pk for price in ranked.most_expensive]
    decide(collection.user_id, release.pk, Decision.COUNT, now=NOW)
    ranked = ranked_for(collection.user_id, start=start, now=NOW)
    assert (ranked.gainers, [mover.change.now for mover in ranked.losers]) == ([], [400])
    # Nor does a change begin with one.
    ranked = ranked_for(collection.user_id, start=NOW.date(), now=NOW)
    assert (ranked.gainers, ranked.losers) == ([], [])


def test_copies_never_counted_have_no_weight(collection, release):
    renew_of(collection.user_id)
    release.price.refresh_from_db()
    assert release.price.weight > 0
    decide(collection.user_id, release.pk, Decision.NEVER, now=NOW)
    renew_of(collection.user_id)
    release.price.refresh_from_db()
    assert (release.price.weight, release.price.urgency) == (0, 0)


def test_command_counts_what_is_held_back(collection, release, capsys):
    call_command("collection_value", "--user", "collector", "--json")
    facts = json.loads(capsys.readouterr().out)
    assert (facts["priced"], facts["unpriced"], facts["quarantined"], facts["left_out"]) == (1, 2, 2, 0)
    call_command("collection_value", "--user", "collector")
    assert "1 of 3 copies (0 stale, 2 held back)" in capsys.readouterr().out
    CollectionInstance.objects.filter(release=release).update(price_decision=Decision.NEVER)
    call_command("collection_value", "--user", "collector", "--json")
    facts = json.loads(capsys.readouterr().out)
    assert (facts["quarantined"], facts["left_out"]) == (0, 2)


def test_admin_finds_doubted_prices(client, make_staff, release):
    from tests.accounts import force_login_with_code

    force_login_with_code(client, make_staff())
    html = client.get("/admin/pricing/releaseprice/?doubt__exact=1").content.decode()
    assert "1 latest price" in html or "1 release price" in html
    assert html.count("Jumped from the last price</td>") == 1
