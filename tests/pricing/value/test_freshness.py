"""The rules of freshness, and that Python and the database apply the same ones."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from collections_app.discogs.payloads import MarketStatus
from collections_app.models import CollectionInstance, Decision
from pricing.models import Doubt, ReleasePrice
from pricing.value.current import state_of
from pricing.value.freshness import (
    AGEING_UNTIL,
    PRICE_COUNTS_FOR,
    PRICED,
    STATE_LABELS,
    WITHHELD,
    Freshness,
    counted,
    counted_prices,
    freshness,
    state_at,
)
from tests import factories as make

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MICROSECOND, HOUR, DAY = timedelta(microseconds=1), timedelta(hours=1), timedelta(days=1)
# Values of PRICE_FRESH_FOR: the least, the default, between the other limits, and the most.
FRESH_FOR = (timedelta(0), 6 * HOUR, 2 * DAY, 30 * DAY)
# Each limit between two states, and a microsecond before and after it; negative if a clock was wrong.
LIMITS = (*FRESH_FOR, AGEING_UNTIL, PRICE_COUNTS_FOR)
AGES = sorted({limit + by for limit in LIMITS for by in (-MICROSECOND, timedelta(0), MICROSECOND)})


@pytest.mark.parametrize(
    ("doubt", "decision", "age", "state"),
    [
        (Doubt.NONE, Decision.COUNT, HOUR, Freshness.FRESH),
        (Doubt.NONE, Decision.NEVER, HOUR, Freshness.LEFT_OUT),
        (Doubt.JUMP, Decision.NONE, HOUR, Freshness.QUARANTINED),
        (Doubt.JUMP, Decision.COUNT, HOUR, Freshness.FRESH),
        (Doubt.JUMP, Decision.NEVER, HOUR, Freshness.LEFT_OUT),
        (Doubt.BELOW_SUGGESTION, Decision.NONE, 30 * DAY, Freshness.QUARANTINED),
        (Doubt.BELOW_SUGGESTION, Decision.COUNT, 31 * DAY, Freshness.EXPIRED),
        (Doubt.JUMP, Decision.NEVER, 31 * DAY, Freshness.EXPIRED),
    ],
)
def test_doubt_and_decision_hold_a_price_back(doubt, decision, age, state):
    found = freshness("priced", NOW - age, now=NOW, fresh_for=6 * HOUR, doubt=doubt, decision=decision)
    assert found == state


@pytest.mark.parametrize(
    ("status", "age", "state"),
    [
        ("priced", HOUR, Freshness.FRESH),
        ("priced", 6 * HOUR, Freshness.FRESH),
        ("priced", 7 * HOUR, Freshness.AGEING),
        ("priced", 25 * HOUR, Freshness.STALE),
        ("priced", 30 * DAY, Freshness.STALE),
        ("priced", 31 * DAY, Freshness.EXPIRED),
        ("none_for_sale", HOUR, Freshness.NONE_FOR_SALE),
        ("blocked", 90 * DAY, Freshness.BLOCKED),
        ("gone", HOUR, Freshness.GONE),
    ],
)
def test_freshness_depends_on_status_and_age(status, age, state):
    assert freshness(status, NOW - age, now=NOW, fresh_for=6 * HOUR) == state


def test_every_state_has_a_label():
    assert set(STATE_LABELS) == set(Freshness)


@pytest.fixture
def copies(db):
    """A copy for each status, doubt and decision at each age, and one whose price was never fetched."""
    connection = make.make_connection()
    make.make_copy(connection)
    for status, doubt, decision, age in product(MarketStatus, Doubt, Decision, AGES):
        amount = 100 if status == MarketStatus.PRICED else None
        release = make.make_copy(connection, price_decision=decision).release
        make.make_price(release, amount, status=status, doubt=doubt, observed_at=NOW - age)
    return CollectionInstance.objects.select_related("release__price")


@pytest.mark.parametrize("fresh_for", FRESH_FOR)
def test_sql_and_python_freshness_agree(copies, settings, fresh_for):
    settings.PRICE_FRESH_FOR = fresh_for.total_seconds()
    found = {copy.pk: copy.state for copy in copies.annotate(state=state_at(NOW))}
    expected = {copy.pk: state_now(copy) for copy in copies}
    assert found == expected
    assert set(WITHHELD) < set(found.values())
    assert len(found) == 1 + len(MarketStatus) * len(Doubt) * len(Decision) * len(AGES)


def test_counted_selects_the_priced_states(copies):
    priced = {copy.pk for copy in copies if state_now(copy) in PRICED}
    assert set(copies.filter(counted(NOW)).values_list("pk", flat=True)) == priced
    prices = ReleasePrice.objects.filter(counted_prices(CollectionInstance.objects.all(), now=NOW))
    releases = copies.filter(pk__in=priced).values_list("release_id", flat=True)
    assert set(prices.values_list("pk", flat=True)) == set(releases)


def state_now(copy: CollectionInstance) -> Freshness:
    return state_of(getattr(copy.release, "price", None), copy.price_decision, now=NOW)
