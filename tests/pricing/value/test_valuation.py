from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.value.cascade import Basis, CopyFacts, Evidence, Source, value_of_copy
from pricing.value.freshness import Freshness
from pricing.value.valuation import Sum, Totals, tally_of, total
from tests.pricing.value.test_cascade import copies

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def value(*facts, currency="USD", seen=NOW):
    tallies = [
        tally_of(value_of_copy(copy, Basis.FLOOR), currency=currency, observed_at=seen) for copy in facts
    ]
    return total(tallies, Totals(len(facts), 0, 0), currency="USD", basis=Basis.FLOOR)


def test_every_copy_counts():
    assert value(*[CopyFacts(Freshness.FRESH, 1001)] * 3).amount_minor == 3003


def test_missing_copy_is_counted_and_never_zero():
    found = value(CopyFacts(Freshness.FRESH, 500), CopyFacts())
    assert (found.amount_minor, found.copies, found.priced, found.unpriced) == (500, 2, 1, 1)
    assert found.states == {Freshness.FRESH: 1, Freshness.NEVER_FETCHED: 1}


def test_value_says_what_it_rests_on():
    found = value(
        CopyFacts(Freshness.FRESH, 500, num_for_sale=30),
        CopyFacts(Freshness.STALE, 400),
        CopyFacts(Freshness.CARRIED, 300),
        CopyFacts(own_minor=200),
    )
    assert found.sources == {Source.FLOOR: Sum(2, 900), Source.CARRIED: Sum(1, 300), Source.OWN: Sum(1, 200)}
    assert found.evidence == {
        Evidence.STRONG: Sum(1, 500),
        Evidence.WEAK: Sum(1, 400),
        Evidence.LAST_SEEN: Sum(1, 300),
        Evidence.OWN: Sum(1, 200),
    }
    assert (found.amount_minor, found.stale) == (1400, 1)


def test_two_currencies_are_never_added():
    with pytest.raises(ValueError, match="EUR"):
        value(CopyFacts(Freshness.FRESH, 500), currency="EUR")


@given(st.lists(copies, max_size=30))
def test_every_minor_unit_comes_from_one_source(facts):
    found = value(*facts)
    amounts = [value_of_copy(copy, Basis.FLOOR).amount_minor or 0 for copy in facts]
    assert found.amount_minor == sum(amounts) == sum(part.minor for part in found.sources.values())
    assert found.amount_minor == sum(part.minor for part in found.evidence.values())
    assert found.copies == sum(part.copies for part in found.sources.values()) == len(facts)
