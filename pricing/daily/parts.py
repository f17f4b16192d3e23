"""What copies were worth at the end of a past day, and why that has changed since: expressions over copies.

The twin of `value.change`. Beside each thing that an owner can change stands the time of its last change, so its log is
searched for the copies alone that were changed since: a CASE evaluates only the branch that it takes.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from itertools import product
from typing import Any, NamedTuple

from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    CharField,
    Count,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.expressions import Combinable
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
from pricing.value.cascade import GRID, Basis, CopyValue, Source
from pricing.value.change import Held, Part, Split, part_of
from pricing.value.freshness import PRICE_COUNTS_FOR, Freshness, counted
from pricing.value.worth import IntegerCase, at_grade_in_sql, factor_in_sql, has_suggestion, with_worth

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
    sums = {"copies": Count("pk", filter=~Q(before=F("after"))), "was": Sum("before"), "is": Sum("after")}
    rows = copies.order_by().values_list("part").annotate(**sums)
    return {Part(part): Moved(changed, after - before, before) for part, changed, before, after in rows}


def split_since(user_id: int, basis: Basis, day: date, *, now: datetime) -> Split:
    """The same as the split that `change.split_of` gives."""
    return split_of(moved_since(user_id, basis, day, now=now))


def split_of(moved: Mapping[Part, Moved]) -> Split:
    like = moved[Part.PRICE].before_minor if Part.PRICE in moved else 0
    return Split(like_minor=like, **{part: sums.moved_minor for part, sums in moved.items()})


def with_part(copies: "QuerySet[Any]", basis: Basis, day: date, *, now: datetime) -> "QuerySet[Any]":
    """The copies held at the end of a past day or now, with `before`, `after`, `moved` = their difference, and `part`.

    An amount is 0 where a copy was not held or had no value. Also as `with_worth` annotates them. An annotation is
    written out wherever its name stands, so each large one is named as few times as possible.
    """
    then = Q(added_at__lte=end_of(day), removed_at__gt=end_of(day))
    copies = with_worth(copies.filter(Q(removed_at__isnull=True) | then), basis, at=now)
    copies = _with_worth_on(copies, basis, day, now=now)
    before = IntegerCase(
        When(added_at__gt=end_of(day), then=0),
        default=Coalesce("worth_then", 0),
        output_field=BigIntegerField(),
    )
    after = IntegerCase(
        When(removed_at__isnull=False, then=0), default=Coalesce("worth", 0), output_field=BigIntegerField()
    )
    kinds = F("kind_then") * 100 + _kind_now(basis, now)
    return copies.annotate(before=before, after=after, part=Switch(kinds, _CAUSES, Part.COVERAGE)).annotate(
        moved=F("after") - F("before")
    )


# The kind of a copy's figure as a number, so that the database finds the cause of a change in a table.
NOT_HELD, LEFT, NONE, OWN, MARKET, BY_GRADE = 0, 1, 2, 3, 4, 10  # BY_GRADE + the grade's factor


def _figure_of(kind: int) -> Held:
    """A figure of this kind."""
    if kind > BY_GRADE:
        return CopyValue(1, Source.GRADE, factor=kind - BY_GRADE)
    known = {
        NOT_HELD: None,
        LEFT: CopyValue(None, Source.NONE, state=Freshness.NONE_FOR_SALE),
        NONE: CopyValue(None, Source.NONE),
        OWN: CopyValue(1, Source.OWN),
        MARKET: CopyValue(1, Source.FLOOR),
    }
    return known[kind]


def _causes() -> Iterator[tuple[int, str]]:
    """The cause by the kinds before and after, from `change` itself; coverage is left out."""
    kinds = (NOT_HELD, LEFT, NONE, OWN, MARKET, *(BY_GRADE + factor for factor in GRID.values()))
    for before, after in product(kinds, kinds):
        part, _ = part_of(_figure_of(before), _figure_of(after))
        if part != Part.COVERAGE:
            yield before * 100 + after, part.value


_CAUSES = tuple(_causes())


class Switch(Func):
    """A CASE that compares one number, evaluated once, with the keys of a table."""

    def __init__(self, number: Combinable, table: tuple[tuple[int, str], ...], default: str) -> None:
        super().__init__(number, output_field=CharField())
        self._table, self._default = table, default

    def as_sql(self, compiler: Any, connection: Any, *_: Any, **__: Any) -> Any:
        sql, params = compiler.compile(self.get_source_expressions()[0])
        whens = " ".join(f"WHEN {key} THEN '{text}'" for key, text in self._table)
        return f"CASE {sql} {whens} ELSE '{self._default}' END", list(params)


def _kind_now(basis: Basis, now: datetime) -> Case:
    has_left = Q(**{f"{_PRICE}isnull": False}) & (
        ~Q(**{f"{_PRICE}status": MarketStatus.PRICED})
        | Q(**{f"{_PRICE}observed_at__lt": now - PRICE_COUNTS_FOR})
    )
    by_grade = [When(has_suggestion(), then=Value(BY_GRADE) + F("factor"))] if basis == Basis.GRADE else []
    return IntegerCase(
        When(removed_at__isnull=False, then=NOT_HELD),
        When(own_minor__isnull=False, then=OWN),
        *by_grade,
        When(counted(now), then=MARKET),
        When(has_left, then=LEFT),
        default=NONE,
        output_field=BigIntegerField(),
    )


def _with_worth_on(copies: "QuerySet[Any]", basis: Basis, day: date, *, now: datetime) -> "QuerySet[Any]":
    """Annotate copies with `worth_then` and `kind_then`, of the end of a past day."""
    copies = copies.alias(own_then=_own_on(day), decision_then=_decision_on(day)).alias(
        lowest_then=IntegerCase(
            When(decision_then=Decision.NEVER, then=None),
            When(decision_then=Decision.COUNT, then=search(day, with_doubted=True)),
            default=amount_on(day, today=now.astimezone(UTC).date()),
            output_field=BigIntegerField(),
        )
    )
    amounts = [When(own_then__isnull=False, then="own_then")]
    kinds = [
        When(added_at__gt=end_of(day), then=Value(NOT_HELD)),
        When(own_then__isnull=False, then=Value(OWN)),
    ]
    if basis == Basis.GRADE:
        copies = copies.alias(
            grade_then=_grade_on(day), near_mint_then=_near_mint_on(day), was_gone=_was_gone_on(day)
        ).alias(factor_then=factor_in_sql("grade_then"))
        by_grade = Q(factor_then__isnull=False, near_mint_then__isnull=False, was_gone=False)
        by_grade &= ~Q(decision_then=Decision.NEVER)
        amounts.append(When(by_grade, then=at_grade_in_sql(F("near_mint_then"), F("factor_then"))))
        kinds.append(When(by_grade, then=Value(BY_GRADE) + F("factor_then")))
    kinds.append(When(lowest_then__isnull=False, then=Value(MARKET)))
    return copies.alias(
        worth_then=IntegerCase(*amounts, default=F("lowest_then"), output_field=BigIntegerField()),
        kind_then=IntegerCase(*kinds, default=Value(NONE), output_field=BigIntegerField()),
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
