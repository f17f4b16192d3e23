"""The queries behind the band, beside the same figures computed in Python."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from collections_app.models import CollectionInstance
from pricing.models import Calibration, MarketClass
from pricing.precision.classes import Prior
from pricing.precision.estimator import Learned, in_days, variance_per_day
from pricing.value.accuracy import Missing, accuracy_for, accuracy_of, missing_in, read_parts
from pricing.value.band import Part, band_of
from pricing.value.current import state_of, value_for
from pricing.value.freshness import PRICED
from tests import factories as make

NOW = datetime(2027, 3, 28, 12, 30, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def collection(db):
    return make.make_connection()


def fill(connection, releases, *, seed=1):
    """Copies of releases in every state, some of them owned twice, some sold, some with a reading from the future."""
    random = Random(seed)
    for _ in range(releases):
        release = make.make_release(genres=["Jazz"])
        for _ in range(random.choice((1, 1, 2))):
            make.make_copy(connection, release)
        make.make_copy(connection, release, removed_at=NOW)
        priced = random.random() < 0.8
        make.make_price(
            release,
            random.randint(1, 50_000) if priced else None,
            observed_at=NOW - random.uniform(-0.1, 40) * DAY,
            num_for_sale=random.randint(0, 60),
            last_minor=random.choice((None, 700, 4_000)),
            s2=random.random(),
            exposure_days=random.uniform(0, 300),
            prior_variance=random.uniform(0.0005, 0.05),
        )
    make.make_copy(connection)


def parts_in_python(connection):
    found = {}
    for copy in CollectionInstance.objects.of(connection.user_id).held().select_related("release__price"):
        price = getattr(copy.release, "price", None)
        if state_of(price, now=NOW) in PRICED:
            known = Learned(price.s2, price.exposure_days)
            age = max(in_days(NOW - price.observed_at), 0.0)
            worth, variance = found.get(
                price.pk, (0, variance_per_day(known, prior=price.prior_variance) * age)
            )
            found[price.pk] = worth + price.amount_minor, variance
    return [Part(release, *rest) for release, rest in found.items()]


def add_class(listings_band, price_band, *, releases=1, p10=100, p90=900):
    MarketClass.objects.create(
        listings_band=listings_band,
        price_band=price_band,
        releases=releases,
        s2=0,
        exposure_days=0,
        variance=0.004,
        p10_minor=p10,
        median_minor=p10,
        p90_minor=p90,
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sql_and_python_band_agree(collection, seed):
    fill(collection, 60, seed=seed)
    by_sql = accuracy_for(collection.user_id, now=NOW).band
    by_python = band_of(parts_in_python(collection), scale=1.0)
    assert by_sql.half_minor == pytest.approx(by_python.half_minor, rel=1e-6)
    assert (by_sql.total_minor, by_sql.sources) == (by_python.total_minor, by_python.sources)


def test_band_is_around_the_total(collection):
    fill(collection, 40)
    value = value_for(collection.user_id, now=NOW)
    found = accuracy_for(collection.user_id, now=NOW)
    assert found.band.total_minor == value.amount_minor
    assert found.missing.copies == value.unpriced


def test_other_users_copies_are_left_out(collection):
    fill(make.make_connection("other"), 5)
    found = accuracy_for(collection.user_id, now=NOW)
    assert (found.band, found.missing) == (None, Missing())


def test_calibration_scales_the_band(collection):
    fill(collection, 10)
    before = accuracy_for(collection.user_id, now=NOW).band
    Calibration.objects.create(day=NOW.date() - DAY, readings=900, z2_sum=3900, bands=0, covered=0)
    after = accuracy_for(collection.user_id, now=NOW).band
    assert after.half_minor == pytest.approx(2 * before.half_minor)  # (3900 + 100) / (900 + 100) = 2²


def test_accuracy_takes_three_queries(collection):
    add_class(0, 0)
    for releases in (5, 50):
        fill(collection, releases)
        with CaptureQueriesContext(database) as queries:
            accuracy_for(collection.user_id, now=NOW)
        assert len(queries) == 3


def test_parts_of_a_filtered_view(collection):
    fill(collection, 20)
    copies = CollectionInstance.objects.of(collection.user_id).held()
    some = copies.filter(release__price__num_for_sale__gte=30)
    others = copies.exclude(pk__in=some.values("pk"))
    whole, one, other = (read_parts(each, now=NOW) for each in (copies, some, others))
    assert sorted(one[0] + other[0]) == sorted(whole[0])
    missing = [accuracy_of(each, now=NOW).missing.copies for each in (copies, some, others)]
    assert missing[0] == missing[1] + missing[2]


def prior(releases, p10, p90):
    return Prior(releases, 0.0, 0.0, 0.004, p10, p10, p90)


@pytest.mark.parametrize(
    ("unpriced", "expected"),
    [
        ([(None, None, 2)], Missing(2, 200, 800)),  # none for sale: the largest class of that kind
        ([(0, 600, 1)], Missing(1, 10, 90)),
        ([(5, 600, 3)], Missing(3, 60, 210)),
        ([(5, None, 1)], Missing(1, 20, 70)),
        ([(50, 600, 1)], Missing(1, 100, 400)),  # no class of its own
        ([(0, 600, 1), (5, 600, 1)], Missing(2, 30, 160)),
        ([], Missing(0, 0, 0)),
    ],
)
def test_missing_copies_cost_what_their_class_does(unpriced, expected):
    priors = {(0, 0): prior(9, 100, 400), (0, 1): prior(3, 10, 90), (2, 1): prior(5, 20, 70)}
    assert missing_in(unpriced, priors) == expected


def test_missing_without_classes_has_no_amount():
    assert missing_in([(1, 100, 4)], {}) == Missing(4)


def test_missing_copies_are_looked_up_by_class(collection):
    add_class(0, 2, p10=1_000, p90=2_500)
    add_class(3, 1, releases=7, p10=500, p90=900)
    release = make.make_copy(collection).release
    make.make_price(release, None, num_for_sale=0, last_minor=1_200, observed_at=NOW)
    make.make_copy(collection)
    assert accuracy_for(collection.user_id, now=NOW).missing == Missing(2, 2_000, 5_000)
