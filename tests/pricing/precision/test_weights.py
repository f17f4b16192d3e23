"""The nightly pass over all weights, in steps that may be lost or repeated."""

from datetime import UTC, datetime, timedelta

import pytest

from collections_app.models import Preferences
from pricing.models import MarketClass, OwnerTotal, ReleasePrice, WeightPass
from pricing.precision import calibration, weights
from pricing.precision.estimator import urgency
from pricing.tasks import renew_weights
from tests.factories import make_connection, make_copy, make_price, make_release

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 28, 0, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def priced(release, amount: int, **fields) -> ReleasePrice:
    values = {"observed_at": NOW - DAY, "last_minor": amount, "last_priced_at": NOW - DAY}
    return make_price(release, amount, **{**values, **fields})


def run_pass(now: datetime = NOW) -> WeightPass:
    row = weights.begin_pass(now=now)
    world = weights.read_world()
    while weights.step(row, world, now=now):
        pass
    row.refresh_from_db()
    return row


def test_weight_is_the_sum_of_squared_shares():
    one, two = make_connection("one"), make_connection("two")
    shared, own = make_release(), make_release()
    for connection, release in ((one, shared), (one, shared), (one, own), (two, shared)):
        make_copy(connection, release)
    price, _ = priced(shared, 1000), priced(own, 2000)
    assert run_pass().finished_at == NOW
    assert dict(OwnerTotal.objects.values_list("pk", "amount_minor")) == {one.pk: 4000, two.pk: 1000}
    price.refresh_from_db()
    assert price.weight == pytest.approx((2 * 1000 / 4000) ** 2 + 1)
    assert price.urgency == pytest.approx(urgency(price.weight, price.prior_variance))


def test_removed_copy_has_no_weight():
    connection = make_connection()
    release = make_copy(connection, removed_at=NOW - DAY).release
    price = priced(release, 1000)
    run_pass()
    price.refresh_from_db()
    assert (price.weight, price.interval_hours) == (0, None)


def test_unpriced_release_weighs_like_its_class():
    connection = make_connection()
    for amount in (1100, 1200, 1300):
        priced(make_copy(connection).release, amount, num_for_sale=0)
    unknown = make_price(make_copy(connection).release, None, num_for_sale=0, observed_at=NOW - DAY)
    run_pass()
    unknown.refresh_from_db()
    assert unknown.weight == pytest.approx((1200 / 3600) ** 2)


def test_prior_of_a_class_reaches_its_members():
    connection = make_connection()
    calm, wild = (make_copy(connection).release for _ in range(2))
    priced(calm, 100, s2=0.0, exposure_days=3000)
    priced(wild, 50_000, s2=300.0, exposure_days=3000)
    run_pass()
    priors = dict(ReleasePrice.objects.values_list("pk", "prior_variance"))
    assert priors[wild.pk] > 10 * priors[calm.pk]
    assert MarketClass.objects.count() == 2
    assert weights.prior_variance(5, 60_000) == priors[wild.pk]


@pytest.mark.parametrize(("chosen", "hours"), [((6, 24), 6), ((0, 24), 24), ((0, 0), None)])
def test_interval_is_the_shortest_of_the_owners(chosen, hours):
    release = make_release()
    for number, every in enumerate(chosen):
        connection = make_connection(f"user{number}")
        make_copy(connection, release)
        Preferences.objects.create(user=connection.user, sync_every_hours=every)
    price = priced(release, 1000)
    run_pass()
    price.refresh_from_db()
    assert price.interval_hours == hours


def test_pass_continues_where_it_was_killed(monkeypatch):
    monkeypatch.setattr(weights, "BATCH", 2)
    connection = make_connection()
    for _ in range(5):
        priced(make_copy(connection).release, 1000)
    row = weights.begin_pass(now=NOW)
    assert weights.step(row, weights.read_world(), now=NOW)
    assert not weights.is_complete(now=NOW)
    assert weights.is_at_work(now=NOW)
    assert not weights.is_at_work(now=NOW + timedelta(minutes=5))
    run_pass()
    assert weights.is_complete(now=NOW)
    assert list(ReleasePrice.objects.values_list("weight", flat=True)) == pytest.approx([1 / 25] * 5)


def test_step_that_runs_twice_is_dropped(monkeypatch):
    monkeypatch.setattr(weights, "BATCH", 2)
    connection = make_connection()
    for _ in range(5):
        priced(make_copy(connection).release, 1000)
    first, second = weights.begin_pass(now=NOW), weights.begin_pass(now=NOW)
    world = weights.read_world()
    assert weights.step(first, world, now=NOW)
    assert not weights.step(second, world, now=NOW)
    run_pass()
    assert weights.is_complete(now=NOW)


def test_next_day_begins_a_new_pass():
    release = make_copy(make_connection()).release
    priced(release, 1000)
    assert run_pass().day == NOW.date()
    assert not weights.is_complete(now=NOW + DAY)
    assert run_pass(NOW + DAY).day == (NOW + DAY).date()


def test_pass_stores_the_threshold(settings):
    settings.DISCOGS_RATE_LIMIT, settings.DISCOGS_RATE_WINDOW = 10, 24 * 3600.0
    connection = make_connection()
    for number in range(30):
        priced(make_copy(connection).release, 1000 + 100 * number)
    row = run_pass()
    assert row.threshold == weights.threshold() > 0
    assert row.wanted_per_day == 30


def test_renew_of_leaves_other_users_releases_alone():
    one, two = make_connection("one"), make_connection("two")
    mine, theirs = priced(make_copy(one).release, 1000), priced(make_copy(two).release, 1000)
    weights.renew_of(one.user_id)
    mine.refresh_from_db()
    theirs.refresh_from_db()
    assert (mine.weight, theirs.weight) == (1.0, 0.0)


def test_pass_has_a_constant_query_count(django_assert_max_num_queries):
    connection = make_connection()
    calibration.renew(now=NOW)  # the first time it computes a month
    counts = []
    for releases in (5, 50):
        for _ in range(releases):
            priced(make_copy(connection).release, 1000)
        WeightPass.objects.all().delete()
        with django_assert_max_num_queries(40) as queries:
            run_pass()
        # One UPDATE for each changed row, sent together.
        counts.append(
            len([query for query in queries if not query["sql"].startswith("UPDATE pricing_releaseprice")])
        )
    assert counts[0] == counts[1]


def test_task_of_a_complete_pass_does_nothing():
    priced(make_copy(make_connection()).release, 1000)
    renew_weights()
    found = WeightPass.objects.get()
    assert found.finished_at
    renew_weights()
    assert WeightPass.objects.get().stepped_at == found.stepped_at
