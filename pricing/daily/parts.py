"""What copies were worth at the end of a past day, and why that has changed since: expressions over copies.

The twin of `value.change`. Beside each thing that an owner can change stands the time of its last change, so its log is
searched for the copies alone that were changed since: a CASE evaluates only the branch that it takes.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple

from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    CharField,
    Count,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from collections_app.discogs.payloads import MarketStatus
from collections_app.models import (
    CollectionInstance,
    Decision,
    GradeEdit,
    OwnValue,
    PriceDecision,
)
from pricing.daily.baselines import amount_on, search
from pricing.models import NearMintPrice, PriceSnapshot
from pricing.value.cascade import Basis, Source
from pricing.value.change import Part, Split
from pricing.value.freshness import LEFT_THE_MARKET, state_at
from pricing.value.worth import IntegerCase, at_grade_in_sql, factor_in_sql, with_worth

_PRICE = "release__price__"


def end_of(day: date) -> datetime:
    """The last moment of a UTC day, to which its figures belong."""
    return datetime.combine(day, time.max, UTC)


class Moved(NamedTuple):
    """The copies behind a part of a change: how many changed by something, by how much, and what all were worth."""

    copies: int
    moved_minor: int
    before_minor: int


def moved_since(user_id: int, basis: Basis, day: date, *, now: datetime) -> dict[Part, Moved]:
    """The parts of a user's change from the end of a past day until now, without those that are empty. One query."""
    copies = with_part(CollectionInstance.objects.of(user_id), basis, day, now=now)
    sums = {"copies": Count("pk", filter=~Q(moved=0)), "change": Sum("moved"), "was": Sum("before")}
    rows = copies.order_by().values_list("part").annotate(**sums)
    return {Part(part): Moved(*found) for part, *found in rows}


def split_since(user_id: int, basis: Basis, day: date, *, now: datetime) -> Split:
    """The same as the split that `change.split_of` gives."""
    return split_of(moved_since(user_id, basis, day, now=now))


def split_of(moved: Mapping[Part, Moved]) -> Split:
    like = moved[Part.PRICE].before_minor if Part.PRICE in moved else 0
    return Split(like_minor=like, **{part: sums.moved_minor for part, sums in moved.items()})


def with_part(copies: "QuerySet[Any]", basis: Basis, day: date, *, now: datetime) -> "QuerySet[Any]":
    """The copies held at the end of a past day or now, with `before`, `after`, `moved` = their difference, and `part`.

    An amount is 0 where a copy was not held or had no value. Also as `with_worth` annotates them.
    """
    then = Q(added_at__lte=end_of(day), removed_at__gt=end_of(day))
    copies = with_worth(copies.filter(Q(removed_at__isnull=True) | then), basis, at=now)
    copies = _with_worth_on(copies, basis, day, now=now)
    copies = copies.alias(state_now=state_at(now)).annotate(part=_part_since(basis, day))
    before = Case(When(~Q(part=Part.ADDED), then=Coalesce("worth_then", 0)), default=0)
    after = Case(When(~Q(part=Part.REMOVED), then=Coalesce("worth", 0)), default=0)
    return copies.annotate(before=before, after=after).annotate(moved=F("after") - F("before"))


def _with_worth_on(copies: "QuerySet[Any]", basis: Basis, day: date, *, now: datetime) -> "QuerySet[Any]":
    """Annotate copies with `worth_then` and `source_then`, of the end of a past day.

    A lowest listing and one that was carried are not told apart: `source_then` is FLOOR for both.
    """
    copies = copies.alias(own_then=_own_on(day), decision_then=_decision_on(day)).alias(
        lowest_then=IntegerCase(
            When(decision_then=Decision.NEVER, then=None),
            When(decision_then=Decision.COUNT, then=search(day, with_doubted=True)),
            default=amount_on(day, today=now.astimezone(UTC).date()),
            output_field=BigIntegerField(),
        )
    )
    by_owner = Q(own_then__isnull=False)
    amounts = [When(by_owner, then="own_then")]
    sources = [When(by_owner, then=Value(Source.OWN))]
    if basis == Basis.GRADE:
        copies = copies.alias(
            grade_then=_grade_on(day), near_mint_then=_near_mint_on(day), was_gone=_was_gone_on(day)
        ).alias(factor_then=factor_in_sql("grade_then"))
        by_grade = Q(factor_then__isnull=False, near_mint_then__isnull=False, was_gone=False)
        by_grade &= ~Q(decision_then=Decision.NEVER)
        amount = at_grade_in_sql(F("near_mint_then"), F("factor_then"))
        amounts.append(When(by_grade, then=amount))
        sources.append(When(by_grade, then=Value(Source.GRADE)))
    return copies.alias(
        worth_then=IntegerCase(*amounts, default=F("lowest_then"), output_field=BigIntegerField()),
        source_then=Case(
            *sources,
            When(lowest_then__isnull=False, then=Value(Source.FLOOR)),
            default=Value(Source.NONE),
            output_field=CharField(),
        ),
    )


def _part_since(basis: Basis, day: date) -> Case:
    """The twin of `change.part_of`."""
    is_priced, was_priced = ~Q(source=Source.NONE), ~Q(source_then=Source.NONE)
    is_by_grade, was_by_grade = Q(source=Source.GRADE), Q(source_then=Source.GRADE)
    is_alike = is_by_grade & was_by_grade | ~is_by_grade & ~was_by_grade
    graded_anew = is_by_grade & was_by_grade & ~Q(factor_then=F("factor"))
    return Case(
        When(removed_at__isnull=False, then=Value(Part.REMOVED)),
        When(added_at__gt=end_of(day), then=Value(Part.ADDED)),
        When(Q(source=Source.OWN) | Q(source_then=Source.OWN), then=Value(Part.OWN)),
        *([When(graded_anew, then=Value(Part.OWN))] if basis == Basis.GRADE else []),
        When(is_priced & was_priced & is_alike, then=Value(Part.PRICE)),
        When(was_priced & ~is_priced & Q(state_now__in=LEFT_THE_MARKET), then=Value(Part.EXPIRED)),
        default=Value(Part.COVERAGE),
        output_field=CharField(),
    )


def _own_on(day: date) -> Case:
    log = OwnValue.objects.filter(copy=OuterRef("pk"), set_at__lte=end_of(day)).order_by("-set_at")
    return IntegerCase(
        When(own_set_at__gt=end_of(day), then=Subquery(log.values("usd_minor")[:1])),
        default="own_minor",
        output_field=BigIntegerField(),
    )


def _grade_on(day: date) -> Case:
    log = GradeEdit.objects.filter(copy=OuterRef("pk"), edited_at__gt=end_of(day)).order_by("edited_at")
    return Case(
        When(grade_edited_at__gt=end_of(day), then=Subquery(log.values("before")[:1])),
        default="media_condition",
        output_field=CharField(),
    )


def _decision_on(day: date) -> Case:
    about = {"connection": OuterRef("connection"), "release": OuterRef("release")}
    log = PriceDecision.objects.filter(**about, decided_at__lte=end_of(day)).order_by("-decided_at")
    return Case(
        When(
            decided_at__gt=end_of(day),
            then=Coalesce(Subquery(log.values("decision")[:1]), Value(Decision.NONE)),
        ),
        default="price_decision",
        output_field=CharField(),
    )


def _near_mint_on(day: date) -> Case:
    log = NearMintPrice.objects.filter(release=OuterRef("release"), day__lte=day).order_by("-day")
    return IntegerCase(
        When(**{f"{_PRICE}near_mint_since__gt": day}, then=Subquery(log.values("amount_minor")[:1])),
        default=f"{_PRICE}near_mint_minor",
        output_field=BigIntegerField(),
    )


def _was_gone_on(day: date) -> Case:
    """Whether Discogs no longer had the release then; searched in its history if its status has changed since."""
    readings = PriceSnapshot.objects.filter(release=OuterRef("release"), day__lte=day).order_by("-day")
    was_gone = Case(When(status=MarketStatus.GONE, then=Value(True)), default=Value(False))
    return Case(
        When(
            **{f"{_PRICE}status_since__gt": end_of(day)},
            then=Coalesce(Subquery(readings.values_list(was_gone)[:1]), False),
        ),
        When(**{f"{_PRICE}status": MarketStatus.GONE}, then=Value(True)),
        default=Value(False),
        output_field=BooleanField(),
    )
