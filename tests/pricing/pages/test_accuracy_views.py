"""How sure the value is, on every page that shows it, and the run that narrows its band."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from collections_app.models import Preferences
from pricing.models import Calibration, ExchangeRate, MarketClass, SyncRun
from pricing.pages.queries.accuracy import shown_accuracy, totals_of
from tests import factories as make

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def collection(client):
    connection = make.make_connection()
    client.force_login(connection.user)
    return connection


@pytest.fixture
def shown(client):
    def get(address):
        response = client.get(address)
        assert response.status_code == 200
        return " ".join(response.content.decode().split())

    return get


def add_price(connection, amount, *, days=0.0, **fields):
    release = make.make_copy(connection, make.make_release(**fields)).release
    make.make_price(release, amount, observed_at=timezone.now() - days * DAY, prior_variance=0.01)
    return release


def add_class(p10, p90):
    sums = {"releases": 9, "s2": 0, "exposure_days": 0, "variance": 0.004}
    MarketClass.objects.create(
        listings_band=0, price_band=1, p10_minor=p10, median_minor=p10, p90_minor=p90, **sums
    )


@pytest.fixture
def uncertain(collection):
    """$1,000.00 ± 1.28 x 1,000 x √(0.01 x 4), nearly all of it from one old price; and a copy without a price."""
    old = add_price(collection, 90_000, days=5)
    for _ in range(10):
        add_price(collection, 1_000, days=1, genres=["Jazz"])
    make.make_copy(collection)
    add_class(1_810, 92_000)
    return old


def command(**options):
    out = StringIO()
    call_command("collection_value", user="collector", stdout=out, **options)
    return out.getvalue()


def test_same_band_is_on_every_page(shown, uncertain):
    # 1.28 x 90,000 x √(0.01 x 5) = 25,760, to one figure 30,000
    assert "± $300</b>: most of it from 1 older price." in shown("/dashboard/")
    assert "± $300</b>" in shown("/dashboard/headline/")
    assert "$1,000.00</b> ± $300 at the lowest listings" in shown("/collection/")
    assert "<small>± $300</small>" in shown("/accuracy/")
    assert "between $700 and $1,300 in about eight cases" in shown("/accuracy/")
    assert command().startswith("$1,000.00 ± $300: the lowest listings of 11 of 12 copies")
    facts = json.loads(command(json=True))
    assert (facts["band_low_minor"], facts["band_high_minor"]) == (70_000, 130_000)


def test_missing_copies_stand_beside_the_total(shown, uncertain):
    words = "1 copy without a price; similar ones: $18–$920"
    for address in ("/dashboard/", "/collection/"):
        assert words in shown(address)
    assert "similar ones: $18–$920" in shown("/accuracy/")
    assert "1 copy without a price, not in the total; similar ones: $18–$920." in command()
    assert json.loads(command(json=True))["missing"] == {
        "copies": 1,
        "low_minor": 1_810,
        "high_minor": 92_000,
    }


def test_missing_copies_without_classes_have_no_range(shown, collection):
    add_price(collection, 1_000)
    for _ in range(3):
        make.make_copy(collection)
    html = shown("/dashboard/")
    assert "Not in the total: 3 copies without a price </p>" in html
    assert "similar ones" not in html
    assert "3 copies without a price, not in the total.\n" in command()


def test_filtered_list_has_a_band_of_its_own(shown, uncertain):
    # ten times 1,000 x √0.01 in variance: 1.28 x √10 x 100 = 405
    assert "$100.00</b> ± $4 at the lowest listings" in shown("/collection/?genre=Jazz")
    assert "without a price" not in shown("/collection/?genre=Jazz")


def test_narrow_band_is_not_shown(shown, collection):
    add_price(collection, 1_000)
    assert "right to within half a per cent" in shown("/dashboard/")
    assert "±" not in shown("/collection/")
    assert "±" not in command()
    assert "Narrow it now" not in shown("/dashboard/")


def test_pages_without_prices_have_no_band(shown, collection):
    assert "nothing to be sure about" in shown("/accuracy/")
    make.make_copy(collection)
    assert "±" not in shown("/dashboard/") + shown("/collection/")
    facts = json.loads(command(json=True))
    assert (facts["band_low_minor"], facts["missing"]["copies"]) == (None, 1)


def test_band_is_in_the_chosen_currency(shown, collection, uncertain):
    Preferences.objects.create(user=collection.user, currency="JPY")
    ExchangeRate.objects.create(currency="JPY", micros_per_usd=150_000_000, observed_at=timezone.now())
    assert "± ¥40,000</b>" in shown("/dashboard/")  # 257.60 x 150 = 38,640


def test_calibration_widens_the_band(shown, uncertain):
    today = timezone.now().date()
    Calibration.objects.create(day=today - DAY, readings=900, z2_sum=3_900, bands=10, covered=8)
    assert "± $500</b>" in shown("/dashboard/")
    assert "80 % of 10 syncs stayed" in shown("/accuracy/")


def test_accuracy_page_compares_runs_with_predictions(shown, collection):
    add_price(collection, 1_000)
    for found in (1_200, -1_240, 5_000):
        make.make_run(collection, "finished", rose=1, fell=0, found_minor=found, expected_variance=1_000.0**2)
    make.make_run(collection, "cancelled")
    html = shown("/accuracy/")
    assert "2 of your last 3 syncs" in html
    assert html.count("± $10</td>") == 3
    assert "−$12.40" in html
    assert html.count('<b class="strong">no</b>') == 1


def test_accuracy_page_without_runs_says_so(shown, collection):
    assert "Nothing to compare yet" in shown("/accuracy/")


def test_offer_names_requests_time_and_gain(shown, uncertain):
    assert "1 request, about 1 s: ± $300 → about ± $4" in shown("/dashboard/")
    assert "1 request, about 1 s: ± $300 → about ± $4" in shown("/accuracy/")


def test_narrow_starts_exactly_those_requests(client, shown, collection, uncertain):
    response = client.post("/accuracy/narrow/")
    run = SyncRun.objects.get()
    assert response["Location"] == f"/syncs/{run.pk}/"
    assert (run.user, run.trigger, run.state) == (collection.user, "click", "running")
    assert list(run.items.values_list("release_id", flat=True)) == [uncertain.pk]
    assert run.half_before_minor == pytest.approx(25_760, rel=0.001)
    assert run.predicted_half_minor == pytest.approx(405, rel=0.01)
    assert "Started to narrow the band: ± $300 before, about ± $4 expected." in shown(f"/syncs/{run.pk}/")
    assert "Narrow it now" not in shown("/dashboard/")  # a run is active


def test_narrow_joins_the_active_run(client, collection, uncertain):
    run = make.make_run(collection)
    assert client.post("/accuracy/narrow/")["Location"] == f"/syncs/{run.pk}/"
    assert SyncRun.objects.count() == 1


def test_narrow_without_gain_starts_nothing(client, collection):
    add_price(collection, 1_000)
    response = client.post("/accuracy/narrow/", follow=True)
    assert "Nothing was fetched" in response.content.decode()
    assert not SyncRun.objects.exists()


def test_narrow_is_not_offered_without_access(shown, collection, uncertain):
    collection.state = "reconnect_needed"
    collection.save()
    assert "Narrow it now" not in shown("/dashboard/")


def test_run_page_says_what_was_found(shown, collection):
    run = make.make_run(collection)
    known = {"before_minor": 1_000, "before_variance": 0.01}
    for after in (1_500, 900, 1_000):
        make.make_item(run, make.make_copy(collection).release, "recorded", after_minor=after, **known)
    assert "1 rose, 1 fell, +$4.00</b> for your copies so far." in shown(f"/syncs/{run.pk}/")


def test_run_page_says_that_nothing_changed(shown, collection):
    run = make.make_run(collection, "finished")
    release = make.make_copy(collection).release
    make.make_item(run, release, "recorded", before_minor=5, before_variance=0.1, after_minor=5)
    assert "No price of your copies had changed." in shown(f"/syncs/{run.pk}/")


def test_list_of_syncs_says_what_each_found(shown, collection):
    make.make_run(collection, "finished", rose=41, fell=37, found_minor=1_240, expected_variance=1.0)
    make.make_run(collection, "finished", rose=0, fell=0, found_minor=0, expected_variance=1.0)
    make.make_run(collection, "finished", predicted_half_minor=4)
    html = shown("/syncs/")
    assert '41 rose, 37 fell<span class="fine cut">+$12.40</span>' in html
    assert "no change" in html
    assert "to narrow the band" in html


def test_reached_half_width_is_on_the_run_page(shown, collection):
    halves = {"half_before_minor": 31_000, "predicted_half_minor": 4_000, "reached_half_minor": 5_200}
    run = make.make_run(collection, "finished", **halves)
    assert "± $300 before, about ± $40 expected, ± $50 reached." in shown(f"/syncs/{run.pk}/")


def test_band_shrinks_at_once_after_a_reading(shown, uncertain):
    """The kept band belongs to one state of the prices, so a new reading is seen although the total is the same."""
    assert "± $300" in shown("/dashboard/")
    uncertain.price.observed_at = timezone.now()
    uncertain.price.save()
    assert "± $300" not in shown("/dashboard/") + shown("/collection/") + shown("/accuracy/")


def test_kept_band_costs_no_queries(collection, uncertain, django_assert_num_queries):
    now = timezone.now()
    totals = totals_of(collection.instances.held(), now=now)
    with django_assert_num_queries(3):
        first = shown_accuracy(collection.user_id, totals, now=now)
    with django_assert_num_queries(0):
        assert shown_accuracy(collection.user_id, totals, now=now) == first
