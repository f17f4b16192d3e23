"""The twin of `value.cascade` for the database: expressions over copies. No queries."""

from typing import Any

from django.db.models import BigIntegerField, Case, CharField, F, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable

from collections_app.discogs.payloads import MarketStatus
from collections_app.models import Decision
from pricing.value.cascade import FACTORS, NEAR_MINT, Basis, Source
from pricing.value.freshness import counted

_PRICE = "release__price__"


class IntegerCase(Case):
    """A CASE over integers: without Django's call of `int` for each value, which both databases return as one."""

    def get_db_converters(self, connection: object) -> list[Any]:
        return []


def with_worth(copies: "QuerySet[Any]", basis: Basis, *, at: Any) -> "QuerySet[Any]":
    """Annotate copies with `worth` (minor units, or None) and `source`: the twin of `value_of_copy` at a moment."""
    is_listed = counted(at) & Q(**{f"{_PRICE}status": MarketStatus.PRICED})
    by_owner = Q(own_minor__isnull=False)
    amounts = [When(by_owner, then="own_minor")]
    sources = [When(by_owner, then=Value(Source.OWN))]
    if basis == Basis.GRADE:
        copies = copies.alias(factor=factor_in_sql("media_condition"))
        by_grade = has_suggestion()
        amount = at_grade_in_sql(F(f"{_PRICE}near_mint_minor"), F("factor"))
        amounts.append(When(by_grade, then=amount))
        sources.append(When(by_grade, then=Value(Source.GRADE)))
    return copies.annotate(
        worth=IntegerCase(
            *amounts,
            When(is_listed, then=f"{_PRICE}amount_minor"),
            When(counted(at), then=f"{_PRICE}last_minor"),
            output_field=BigIntegerField(),
        ),
        source=Case(
            *sources,
            When(is_listed, then=Value(Source.FLOOR)),
            When(counted(at), then=Value(Source.CARRIED)),
            default=Value(Source.NONE),
            output_field=CharField(),
        ),
    )


def has_suggestion() -> Q:
    """Whether a suggestion counts for a copy with `factor`."""
    return (
        Q(factor__isnull=False, **{f"{_PRICE}near_mint_minor__isnull": False})
        & ~Q(price_decision=Decision.NEVER)
        & ~Q(**{f"{_PRICE}status": MarketStatus.GONE})
    )


def ungraded(copies: "QuerySet[Any]") -> "QuerySet[Any]":
    """The copies that have no grade of the grid, of releases for which Discogs suggests a price by grade."""
    known = {f"{_PRICE}near_mint_minor__isnull": False}
    return copies.filter(own_minor__isnull=True, **known).exclude(media_condition__in=list(FACTORS))


def at_grade_in_sql(near_mint: Combinable, factor: Combinable) -> Combinable:
    """The twin of `cascade.at_grade`."""
    return (near_mint * factor * 2 + NEAR_MINT) / (2 * NEAR_MINT)


def factor_in_sql(grade: str) -> Case:
    """The twin of `cascade.factor_of`, for a field or an alias."""
    names: dict[int, list[str]] = {}
    for name, factor in FACTORS.items():
        names.setdefault(factor, []).append(name)
    whens = (When(**{f"{grade}__in": texts}, then=Value(factor)) for factor, texts in names.items())
    return Case(*whens, default=None, output_field=BigIntegerField())
