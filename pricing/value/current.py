"""The current value of a user's copies."""

from datetime import datetime

from django.db.models import BooleanField, Case, Count, Max, Min, Sum, Value
from django.db.models import When as If

from collections_app.models import CollectionInstance, Decision, Preferences, Release
from pricing.models import ReleasePrice
from pricing.money.convert import PRICE_CURRENCY
from pricing.value import valuation
from pricing.value.cascade import (
    MANY_LISTINGS,
    Basis,
    CopyFacts,
    CopyValue,
    Evidence,
    Source,
    evidence_of,
    value_of_copy,
)
from pricing.value.freshness import Freshness, fresh_for, freshness, state_at
from pricing.value.valuation import Tally, Totals
from pricing.value.worth import with_worth


def basis_of(user_id: int) -> Basis:
    """The basis that a user has chosen. One query."""
    chosen = Preferences.objects.filter(user_id=user_id).values_list("basis", flat=True).first()
    return Basis(chosen or Basis.FLOOR)


def state_of(price: ReleasePrice | None, decision: str = Decision.NONE, *, now: datetime) -> Freshness:
    """The state of a release's price, which it may not have yet, for an owner with this decision about it."""
    if price is None:
        return Freshness.NEVER_FETCHED
    return freshness(
        price.status,
        price.observed_at,
        now=now,
        fresh_for=fresh_for(),
        doubt=price.doubt,
        decision=decision,
        last_priced_at=price.last_priced_at,
    )


def worth_of(
    copy: CollectionInstance, price: ReleasePrice | None, basis: Basis, *, now: datetime
) -> CopyValue:
    """The value of a copy whose release has this price."""
    return worth_in(state_of(price, copy.price_decision, now=now), copy, price, basis)


def worth_in(
    state: Freshness, copy: CollectionInstance, price: ReleasePrice | None, basis: Basis
) -> CopyValue:
    """The same if the state of the price is known."""
    is_carried = state == Freshness.CARRIED
    facts = CopyFacts(
        state=state,
        floor_minor=(price.last_minor if is_carried else price.amount_minor) if price else None,
        num_for_sale=price.num_for_sale if price else None,
        own_minor=copy.own_minor,
        grade=copy.media_condition,
        near_mint_minor=price.near_mint_minor if price else None,
        is_left_out=copy.price_decision == Decision.NEVER,
    )
    return value_of_copy(facts, basis)


def value_for(user_id: int, *, now: datetime, basis: Basis = Basis.FLOOR) -> valuation.Value:
    """The current value of a user's collection, for every page and command. Two queries.

    The database sums copies that are alike, so that a large collection costs a few rows and not one for each copy.
    """
    return valuation.total(
        _tallies_of(user_id, basis, now=now), _totals_of(user_id), currency=PRICE_CURRENCY, basis=basis
    )


def _tallies_of(user_id: int, basis: Basis, *, now: datetime) -> list[Tally]:
    held = with_worth(CollectionInstance.objects.of(user_id).held(), basis, at=now)
    is_many = Case(
        If(release__price__num_for_sale__gte=MANY_LISTINGS, then=Value(True)),
        default=Value(False),
        output_field=BooleanField(),
    )
    rows = (
        held.annotate(state=state_at(now), is_many=is_many)
        .values_list("state", "source", "is_many", "release__price__currency")
        .annotate(
            Count("id"),
            Sum("worth"),
            Max("release__price__observed_at"),
            Min("release__price__observed_at"),
        )
        .order_by()
    )
    return [
        Tally(
            Freshness(state),
            Source(source),
            evidence_of(Source(source), is_strong=is_many and state == Freshness.FRESH)
            if source != Source.NONE
            else Evidence.NONE,
            currency or "",
            valuation.Sum(copies, amount or 0),
            newest,
            oldest,
        )
        for state, source, is_many, currency, copies, amount, newest, oldest in rows
    ]


def _totals_of(user_id: int) -> Totals:
    held = CollectionInstance.objects.of(user_id).held().order_by().values("release_id")
    sums = Release.objects.filter(pk__in=held).aggregate(
        releases=Count("pk"), num_for_sale=Sum("price__num_for_sale"), want=Sum("price__want")
    )
    return Totals(sums["releases"], sums["num_for_sale"] or 0, sums["want"] or 0)
