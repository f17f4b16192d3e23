from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.value.freshness import Freshness
from pricing.value.valuation import Copy, Holding, holdings_at, value_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def holding(release=1, *, copies=1, amount=1000, status="priced", age=HOUR, currency="USD") -> Holding:
    return Holding(release, copies, status, amount, currency, None if age is None else NOW - age)


def value(*holdings):
    return value_of(holdings, currency="USD", now=NOW, fresh_for=6 * HOUR)


def test_never_fetched_is_a_state_of_its_own():
    total = value(holding(status=None, amount=None, age=None))
    assert (total.amount_minor, total.priced, total.unpriced) == (0, 0, 1)
    assert total.states == {Freshness.NEVER_FETCHED: 1}


def test_every_copy_counts():
    assert value(holding(1, copies=3, amount=1001)).amount_minor == 3003


def test_outdated_price_does_not_count():
    total = value(holding(1, amount=500), holding(2, amount=900, age=31 * DAY))
    assert (total.amount_minor, total.priced, total.unpriced) == (500, 1, 1)


def test_stale_prices_count_and_are_counted():
    total = value(holding(1, amount=500), holding(2, copies=2, amount=100, age=3 * DAY))
    assert (total.amount_minor, total.priced, total.stale) == (700, 3, 2)


def test_two_currencies_are_never_added():
    with pytest.raises(ValueError, match="EUR"):
        value(holding(1), holding(2, currency="EUR"))


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 10**9)), max_size=50))
def test_total_is_the_sum_over_copies(rows):
    holdings = [holding(n, copies=copies, amount=amount) for n, (copies, amount) in enumerate(rows)]
    assert value(*holdings).amount_minor == sum(copies * amount for copies, amount in rows)


def test_past_value_uses_what_was_known_then():
    readings = {1: [holding(1, amount=100, age=10 * DAY), holding(1, amount=300, age=DAY)]}
    copies = [
        Copy(1, NOW - 20 * DAY, None),
        Copy(1, NOW - 20 * DAY, NOW - 2 * DAY),  # sold since
        Copy(1, NOW - HOUR, None),  # bought since
    ]
    then = holdings_at(copies, readings, moment=NOW - 5 * DAY)
    assert [(held.copies, held.amount_minor) for held in then] == [(2, 100)]
    assert [(held.copies, held.amount_minor) for held in holdings_at(copies, readings, moment=NOW)] == [
        (2, 300)
    ]
    before = holdings_at(copies, readings, moment=NOW - 15 * DAY)
    assert [(held.copies, held.status) for held in before] == [(2, None)]
