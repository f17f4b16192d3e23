"""The value as the database adds it up is the value as the pure rules do, to the cent and to the copy."""

import random
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from collections_app.models import Decision
from pricing.models import Doubt
from pricing.pages import queries
from pricing.value.freshness import AGEING_UNTIL, PRICE_COUNTS_FOR, Freshness, fresh_for
from pricing.value.valuation import Holding, value_of
from tests import factories as make

pytestmark = pytest.mark.django_db

NOW = timezone.now()
MICROSECOND = timedelta(microseconds=1)
# Each limit between two states, a microsecond before and after it too.
LIMITS = (fresh_for(), AGEING_UNTIL, PRICE_COUNTS_FOR)
AGES = [timedelta(0), *(limit + by for limit in LIMITS for by in (-MICROSECOND, timedelta(0), MICROSECOND))]
DECISIONS = (*[Decision.NONE] * 3, Decision.COUNT, Decision.NEVER)
STATUSES = ("priced", "priced", "priced", "none_for_sale", "blocked", "gone")


def stock(collection, dice: random.Random) -> list[Holding]:
    """One to three copies each of 120 releases in every state; returns what is held."""
    holdings = []
    for _ in range(120):
        release, copies = make.make_release(), dice.randint(1, 3)
        doubt, decision = dice.choice(Doubt.values), dice.choice(DECISIONS)
        for _ in range(copies):
            make.make_copy(collection, release, price_decision=decision)
        make.make_copy(collection, release, removed_at=NOW)
        if dice.random() < 0.1:
            holdings.append(Holding(release.pk, copies, None, None, "", None, decision=decision))
            continue
        status, observed_at = dice.choice(STATUSES), NOW - dice.choice(AGES)
        amount = dice.randint(1, 10**7) if status == "priced" else None
        for_sale, want = dice.randint(0, 99), dice.randint(0, 999)
        make.make_price(
            release,
            amount,
            status=status,
            observed_at=observed_at,
            num_for_sale=for_sale,
            want=want,
            doubt=doubt,
        )
        currency = "USD" if status == "priced" else ""
        reading = (release.pk, copies, status, amount, currency, observed_at, for_sale, want)
        holdings.append(Holding(*reading, doubt=doubt, decision=decision))
    return holdings


@pytest.mark.parametrize("seed", range(5))
def test_value_for_agrees_with_value_of(seed):
    collection, other = make.make_connection(), make.make_connection("other")
    dice = random.Random(seed)
    stock(other, dice)
    holdings = stock(collection, dice)
    expected = value_of(holdings, currency="USD", now=NOW, fresh_for=fresh_for())
    assert queries.value_for(collection.user_id, now=NOW) == expected
    assert set(expected.states) == set(Freshness)


def test_state_filter_matches_the_value_states():
    collection = make.make_connection()
    stock(collection, random.Random(7))
    states = queries.value_for(collection.user_id, now=NOW).states
    found = Counter(
        {
            state: queries.collection_for(collection.user_id, queries.ListQuery(state=state), now=NOW).copies
            for state in Freshness
        }
    )
    assert found == states


def test_empty_collection_is_worth_nothing():
    value = queries.value_for(make.make_connection().user_id, now=NOW)
    assert (value.amount_minor, value.copies, value.releases, value.as_of) == (0, 0, 0, None)
