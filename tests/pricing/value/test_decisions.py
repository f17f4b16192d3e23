"""Held back and decided: the database and the pure rules agree to the cent, now and for every past day."""

from datetime import UTC, datetime, time, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from collections_app.importing.decisions import apply_decisions
from collections_app.models import CollectionInstance, Decision, PriceDecision
from pricing.daily.stored import rebuild_values
from pricing.models import CollectionValue, Doubt, PriceSnapshot, ReleasePrice
from pricing.pages.queries import GROUPINGS, ListQuery, collection_for
from pricing.pages.queries.groups import bars_for
from pricing.value.current import value_for
from pricing.value.decisions import decide, decisions_of
from pricing.value.freshness import PRICED
from tests import factories as make

TODAY = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAYS = 5  # of history

# What happens to one release on one day: nothing, a reading (amount or none, doubt), a decision.
readings = st.none() | st.tuples(st.none() | st.integers(0, 10**6), st.sampled_from(Doubt.values))
decisions = st.none() | st.sampled_from(list(Decision))
histories = st.lists(st.tuples(readings, decisions), min_size=DAYS, max_size=DAYS)
numbers = count(1)


class TestAgreement(TestCase):
    @settings(max_examples=30)
    @given(st.lists(st.tuples(st.integers(1, 3), histories), min_size=1, max_size=4))
    def test_days_and_now_agree_to_the_cent(self, held):
        collection = make.make_connection(f"owner{next(numbers)}")
        releases = [self.make_release(collection, copies) for copies, _ in held]
        expected = {}
        for number in range(DAYS):
            now = TODAY + (number - DAYS + 1) * DAY
            for release, (_, history) in zip(releases, held, strict=True):
                self.happens(collection.user_id, release, history[number], now=now)
            value = value_for(collection.user_id, now=now + 2 * HOUR)
            listed = collection_for(collection.user_id, ListQuery(), now=now + 2 * HOUR)
            bars = bars_for(collection.user_id, GROUPINGS["genre"], now=now + 2 * HOUR)
            assert (listed.amount_minor or 0) == sum(bar.amount_minor for bar in bars) == value.amount_minor
            assert sum(row.amount_minor for row in listed.rows if row.state in PRICED) == value.amount_minor
            if value.priced:
                expected[now.date()] = (value.amount_minor, value.priced, value.unpriced, value.num_for_sale)
        first = TODAY.date() - timedelta(days=DAYS - 1)
        rebuild_values(collection.user_id, first=first, last=TODAY.date(), now=TODAY + 2 * HOUR)
        rows = CollectionValue.objects.filter(user=collection.user, basis="floor")
        found = {row.day: (row.value_minor, row.priced, row.unpriced, row.num_for_sale) for row in rows.all()}
        assert found == expected

    @staticmethod
    def make_release(collection, copies):
        release = make.make_release()
        for _ in range(copies):
            make.make_copy(collection, release, added_at=TODAY - 99 * DAY)
        return release

    @staticmethod
    def happens(user_id, release, event, *, now):
        reading, decision = event
        if reading:
            amount, doubt = reading
            doubt = Doubt.NONE if amount is None else doubt
            make.make_snapshot(release, amount, day=now.date(), observed_at=now, doubt=doubt)
            last = {"last_minor": amount, "last_priced_at": now}
            before = ReleasePrice.objects.filter(release=release)
            if amount is None or doubt:
                last = before.values(*last).first() or {}
            before.delete()
            make.make_price(release, amount, observed_at=now, doubt=doubt, **last)
        if decision is not None:
            assert decide(user_id, release.pk, decision, now=now + HOUR)


@pytest.fixture
def collection(db):
    return make.make_connection()


def test_day_uses_the_decision_at_its_end(collection):
    release = make.make_copy(collection, added_at=TODAY - 9 * DAY).release
    other = make.make_copy(collection, added_at=TODAY - 9 * DAY).release
    for ago in (2, 1, 0):
        for each, amount, doubt in ((release, 400, Doubt.JUMP), (other, 10, Doubt.NONE)):
            at = TODAY - ago * DAY
            make.make_snapshot(each, amount, day=at.date(), observed_at=at, doubt=doubt)
    midnight = datetime.combine(TODAY.date() - DAY, time(0), UTC)
    decide(collection.user_id, release.pk, Decision.COUNT, now=midnight)
    decide(collection.user_id, release.pk, Decision.NEVER, now=midnight + DAY)
    rebuild_values(collection.user_id, first=TODAY.date() - 2 * DAY, last=TODAY.date(), now=TODAY)
    values = (
        CollectionValue.objects.filter(basis="floor").order_by("day").values_list("value_minor", flat=True)
    )
    assert list(values) == [10, 410, 10]


def test_decision_holds_for_all_copies_of_one_owner(collection):
    other = make.make_connection("other")
    release = make.make_copy(collection).release
    make.make_copy(collection, release)
    make.make_copy(other, release)
    assert decide(collection.user_id, release.pk, Decision.NEVER, now=TODAY)
    mine = CollectionInstance.objects.filter(price_decision=Decision.NEVER)
    assert mine.count() == mine.of(collection.user_id).count() == 2
    assert decisions_of(other.user_id) == {}


def test_release_that_is_not_held_is_not_decided(collection):
    sold = make.make_copy(collection, removed_at=TODAY).release
    for release in (sold.pk, make.make_release().pk, 987_654_321):
        assert not decide(collection.user_id, release, Decision.COUNT, now=TODAY)
    assert not PriceDecision.objects.exists()


def test_clock_set_back_leaves_the_newest_decision(collection):
    release = make.make_copy(collection).release
    decide(collection.user_id, release.pk, Decision.NEVER, now=TODAY + DAY)
    decide(collection.user_id, release.pk, Decision.COUNT, now=TODAY)
    assert decisions_of(collection.user_id) == {release.pk: [(TODAY, "count")]}
    assert CollectionInstance.objects.get().price_decision == "count"


def test_new_copy_takes_the_standing_decision(collection):
    release = make.make_copy(collection).release
    for number, decision in enumerate((Decision.COUNT, Decision.NEVER)):
        decide(collection.user_id, release.pk, decision, now=TODAY + number * HOUR)
    make.make_copy(collection, release)
    make.make_copy(collection)
    apply_decisions(collection.pk, set(CollectionInstance.objects.release_ids()))
    assert sorted(CollectionInstance.objects.values_list("price_decision", flat=True)) == [
        "",
        "never",
        "never",
    ]
    assert not PriceSnapshot.objects.exists()
