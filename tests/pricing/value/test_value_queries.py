"""The value as the database adds it up is the value as the pure rules do, to the cent and to the copy."""

import random
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from collections_app.models import Decision
from pricing.models import Doubt
from pricing.pages import queries
from pricing.value.cascade import FACTORS, Basis
from pricing.value.current import worth_of
from pricing.value.freshness import AGEING_UNTIL, PRICE_COUNTS_FOR, Freshness, fresh_for
from pricing.value.valuation import Tally, Totals, tally_of, total
from tests import factories as make

pytestmark = pytest.mark.django_db

NOW = timezone.now()
MICROSECOND = timedelta(microseconds=1)
# Each limit between two states, a microsecond before and after it too.
LIMITS = (fresh_for(), AGEING_UNTIL, PRICE_COUNTS_FOR)
AGES = [timedelta(0), *(limit + by for limit in LIMITS for by in (-MICROSECOND, timedelta(0), MICROSECOND))]
DECISIONS = (*[Decision.NONE] * 3, Decision.COUNT, Decision.NEVER)
STATUSES = ("priced", "priced", "priced", "none_for_sale", "blocked", "gone")
GRADES = ("", "graded by a friend", *FACTORS)


def stock(collection, dice: random.Random, basis: Basis) -> tuple[list[Tally], Totals]:
    """One to three copies each of 120 releases in every state, and what the pure rules say of them."""
    tallies: list[Tally] = []
    for_sale = wants = 0
    for _ in range(120):
        price = _price(make.make_release(), dice)
        decision = dice.choice(DECISIONS)
        release = price[0]
        for _ in range(dice.randint(1, 3)):
            copy = make.make_copy(
                collection,
                release,
                price_decision=decision,
                media_condition=dice.choice(GRADES),
                own_minor=dice.choice((None, None, None, dice.randint(0, 10**6))),
            )
            latest = price[1]
            worth = worth_of(copy, latest, basis, now=NOW)
            seen = latest.observed_at if latest else None
            tallies.append(tally_of(worth, currency=latest.currency if latest else "", observed_at=seen))
        make.make_copy(collection, release, removed_at=NOW)
        for_sale += price[1].num_for_sale if price[1] else 0
        wants += price[1].want if price[1] else 0
    return tallies, Totals(120, for_sale, wants)


def _price(release, dice: random.Random):
    if dice.random() < 0.1:
        return release, None
    status = dice.choice(STATUSES)
    amount = dice.randint(1, 10**7) if status == "priced" else None
    return release, make.make_price(
        release,
        amount,
        status=status,
        observed_at=NOW - dice.choice(AGES),
        num_for_sale=dice.randint(0, 99),
        want=dice.randint(0, 999),
        doubt=dice.choice(Doubt.values) if status == "priced" else Doubt.NONE,
        last_minor=dice.randint(1, 10**7),
        last_priced_at=dice.choice((None, NOW - dice.choice(AGES))),
        near_mint_minor=dice.choice((None, dice.randint(0, 10**6))),
    )


@pytest.mark.parametrize("basis", Basis)
@pytest.mark.parametrize("seed", range(3))
def test_value_for_agrees_with_the_pure_rules(seed, basis):
    collection, other = make.make_connection(), make.make_connection("other")
    dice = random.Random(seed)
    stock(other, dice, basis)
    tallies, totals = stock(collection, dice, basis)
    expected = total(tallies, totals, currency="USD", basis=basis)
    assert queries.value_for(collection.user_id, now=NOW, basis=basis) == expected
    assert set(expected.states) == set(Freshness)


def test_state_filter_matches_the_value_states():
    collection = make.make_connection()
    stock(collection, random.Random(7), Basis.FLOOR)
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
