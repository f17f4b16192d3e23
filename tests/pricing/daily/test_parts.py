"""Values of past days and the parts of their change: replayed and from the database, the same to the minor unit."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from collections_app.models import CollectionInstance
from pricing.daily import baselines
from pricing.daily.history import histories_of
from pricing.daily.parts import end_of, with_part
from pricing.daily.replay import BASES, Replay
from pricing.daily.stored import recomputed, split_since
from pricing.models import PriceSnapshot
from pricing.value.change import Part, Split
from pricing.value.current import value_for
from pricing.value.freshness import fresh_for
from tests import factories as make
from tests.pricing.daily.made import live

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)
TODAY = NOW.date()


@pytest.fixture(params=range(3))
def connection(request):
    connection, other = make.make_connection(), make.make_connection("other")
    dice = random.Random(request.param)
    live(other, dice, now=NOW, releases=3)
    live(connection, dice, now=NOW)
    return connection


def replayed(user_id: int, *moments: datetime, since: date) -> Replay:
    replay = Replay(moments, fresh_for=fresh_for())
    for history in histories_of(user_id, since=since):
        replay.add(history)
    return replay


def test_database_splits_a_change_as_the_replay_does(connection):
    user_id = connection.user_id
    _assert_splits_agree(user_id)
    baselines.renew(sorted(set(PriceSnapshot.objects.values_list("release_id", flat=True))), today=TODAY)
    _assert_splits_agree(user_id)
    _assert_values_agree(user_id)
    _assert_copies_add_up(user_id)
    _assert_days_add_up(user_id)


def _assert_splits_agree(user_id):
    for ago in (1, 7, 12, 30, 39):
        day = TODAY - timedelta(days=ago)
        _, now = replayed(user_id, end_of(day), NOW, since=day + timedelta(days=1)).days
        for basis in BASES:
            figures = now.by_basis[basis]
            split = split_since(user_id, basis, day, now=NOW)
            expected = Split(like_minor=figures.like_minor, **{part: figures.parts[part] for part in Part})
            assert split == expected, (ago, basis)


def _assert_values_agree(user_id):
    (now,) = replayed(user_id, NOW, since=TODAY + timedelta(days=1)).days
    for basis in BASES:
        value = value_for(user_id, now=NOW, basis=basis)
        figures = now.by_basis[basis]
        assert (value.amount_minor, value.priced) == (figures.value_minor, figures.priced)
        assert (value.copies, value.stale) == (now.copies, now.stale)
        assert (value.num_for_sale, value.want) == (now.num_for_sale, now.want)


def _assert_days_add_up(user_id):
    first = TODAY - timedelta(days=50)
    rows = list(recomputed(user_id, first=first, last=TODAY, now=NOW))
    for basis in BASES:
        values = {row.day: row for row in rows if row.basis == basis}
        before = 0
        for offset in range(51):
            row = values.get(first + timedelta(days=offset))
            if row is None:
                before = 0
                continue
            assert sum(getattr(row, f"{part}_minor") for part in Part) == row.value_minor - before
            before = row.value_minor


def _assert_copies_add_up(user_id):
    day = TODAY - timedelta(days=30)
    for basis in BASES:
        split = split_since(user_id, basis, day, now=NOW)
        copies = list(with_part(CollectionInstance.objects.of(user_id), basis, day, now=NOW))
        for part in Part:
            assert getattr(split, part) == sum(copy.moved for copy in copies if copy.part == part)
        assert split.total == sum(copy.after for copy in copies) - sum(copy.before for copy in copies)
