"""The list of copies: search, filters, sort and pages, all done by the database."""

import json
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import (
    BigIntegerField,
    Case,
    F,
    IntegerField,
    OrderBy,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Abs, Cast, Coalesce, Sqrt
from django.http import QueryDict

from collections_app.connections.lookup import connection_of
from collections_app.models import CollectionInstance
from collections_app.search import words_of
from pricing.daily.baselines import amount_on
from pricing.daily.like_for_like import Level, filter_index
from pricing.daily.parts import with_part
from pricing.models import PriceJob
from pricing.money.convert import PRICE_CURRENCY
from pricing.pages.charts import DEFAULT_RANGE, Change, change, choose, sparkline, start_of
from pricing.pages.queries.accuracy import ViewTotals, shown_accuracy, totals_of
from pricing.pages.queries.dashboard import METER, failed_releases
from pricing.pages.queries.failures import failure_since, label_of, last_failures, next_try, reason_of
from pricing.pages.queries.history import first_value_day, history_of
from pricing.pages.tables.options import Options, options_of
from pricing.pages.time_limit import time_limit
from pricing.pages.waterfall import PARTS
from pricing.value.accuracy import Accuracy, accuracy_of, variance_at
from pricing.value.cascade import FACTORS, Basis, CopyValue, Source
from pricing.value.current import worth_of
from pricing.value.freshness import PRICED, STATE_LABELS, Freshness, counted, state_at
from pricing.value.worth import at_grade_in_sql, ungraded, with_worth

Copies = QuerySet[Any]

PAGE_SIZE = 50
TREND = timedelta(days=91)
SPARK_WIDTH, SPARK_HEIGHT = 84, 22
FACETS = ("folder", "genre", "format", "decade")
MAX_CHOICE = 100  # characters of a filter
MAX_SEARCH_SECONDS = 3.0

# What a column is sorted by. A name begins with "-" for the other direction.
SORTS: dict[str, tuple[str, ...]] = {
    "artist": ("release__artists", "release__title"),
    "title": ("release__title", "release__artists"),
    "format": ("release__format", "release__year"),
    "year": ("release__year",),
    "grade": ("grade_rank",),
    "price": ("worth",),
    "change": ("trend",),
    "sale": ("release__price__num_for_sale",),
    "want": ("release__price__want",),
    "checked": ("release__price__observed_at",),
    "added": ("added_at",),
}
DEFAULT_SORT = "-price"
STATES: dict[str, str] = {
    **{state.value: label for state, label in STATE_LABELS.items()},
    **{key: METER[key].label for key in ("shut", "never")},  # parts of the meter that have several states
    "failed": "Failed in the last sync",
    "ungraded": "Not graded",
}
_GRADES = ("Poor", "Fair", "Good (", "Good Plus", "Very Good (", "Very Good Plus", "Near Mint", "Mint")


@dataclass(frozen=True, slots=True)
class ListQuery:
    """The validated parameters of the address: unknown values count as absent."""

    q: str = ""
    folder: str = ""
    genre: str = ""
    format: str = ""
    decade: str = ""
    state: str = ""
    part: str = (
        ""  # of a change of value; the list then has the copies that were held at its start, or are now
    )
    range: str = ""  # over which that change was
    basis: Basis = Basis.FLOOR
    sort: str = DEFAULT_SORT
    page: int = 1
    is_cut: bool = False  # whether the search has more words than are used

    @classmethod
    def of(cls, query: QueryDict, basis: str = Basis.FLOOR) -> "ListQuery":
        sort, page, part = query.get("sort", ""), query.get("page", ""), query.get("part", "")
        is_part = part in PARTS
        words, is_cut = words_of(query.get("q", ""))
        return cls(
            **{name: query.get(name, "").strip()[:MAX_CHOICE] for name in FACETS},
            q=" ".join(words),
            is_cut=is_cut,
            state=query.get("state", "") if query.get("state") in STATES else "",
            part=part if is_part else "",
            range=query.get("range", "")[:8] if is_part else "",
            basis=Basis(basis),
            sort=sort if sort.removeprefix("-") in SORTS else DEFAULT_SORT,
            page=max(1, int(page[:9])) if page.isascii() and page.isdigit() else 1,
        )

    @property
    def parameters(self) -> QueryDict:
        """What an address of this list needs, without the page: a page repeats this in a dozen links."""
        chosen = {
            name: value for name in ("q", *FACETS, "state", "part", "range") if (value := getattr(self, name))
        }
        needed = QueryDict(mutable=True)
        needed.update(chosen if self.is_default_sort else {**chosen, "sort": self.sort})
        return needed

    @property
    def is_default_sort(self) -> bool:
        return self.sort == DEFAULT_SORT

    @property
    def is_filtered(self) -> bool:
        return any((self.q, self.folder, self.genre, self.format, self.decade, self.state, self.part))


@dataclass(frozen=True, slots=True)
class CopyRow:
    """One copy as the list shows it."""

    copy: CollectionInstance
    state: Freshness
    state_label: str
    source: Source
    amount_minor: int | None  # what the copy is worth, or its lowest listing where that does not count
    moved_minor: int | None  # in a list of a part of a change: this copy's
    currency: str
    last_minor: int | None  # the newest price that counted
    num_for_sale: int | None
    want: int | None
    observed_at: datetime | None
    change: Change | None
    spark: list[str]
    failure_reason: str  # of the last attempt, if it failed


@dataclass(frozen=True, slots=True)
class CollectionPage:
    query: ListQuery
    rows: list[CopyRow]
    copies: int
    amount_minor: int | None  # None: nothing listed here has a price
    moved_minor: int | None  # in a list of a part of a change: that of all its copies
    index: Level | None  # of a filtered list: its prices over three months, like for like
    since: date | None  # the day at whose end that change begins
    currency: str
    accuracy: Accuracy
    next_try: str  # of failed releases
    pages: list[int | None]  # the numbers to link to, None for those left out between them
    options: Options
    states: list[tuple[str, str]]


def collection_for(user_id: int, query: ListQuery, *, now: datetime) -> CollectionPage:
    """One page of the list. Raises TookTooLong when it is filtered.

    Ten queries, seven when nothing has changed; one more where releases failed, and one after an import.
    """
    with time_limit(MAX_SEARCH_SECONDS) if query.is_filtered else nullcontext():
        return _page_for(user_id, query, now=now)


def _page_for(user_id: int, query: ListQuery, *, now: datetime) -> CollectionPage:
    start = now.date() - TREND
    shown = filtered(copies_in(user_id, query, now=now), query, user_id=user_id, now=now)
    found = _found(in_order(shown, query, start=start, now=now)) if query.is_filtered else None
    totals = totals_of(shown, now=now, basis=query.basis) if found is None else _totals_of(found)
    paginator = Paginator(range(totals.copies), PAGE_SIZE)  # for its arithmetic only
    query = replace(query, page=min(query.page, paginator.num_pages))
    numbers = paginator.get_elided_page_range(query.page, on_each_side=1, on_ends=1)
    part = slice((query.page - 1) * PAGE_SIZE, query.page * PAGE_SIZE)
    if found is None:
        ids = list(in_order(shown, query, start=start, now=now).values_list("pk", flat=True)[part])
    else:
        ids = [pk for pk, *_ in found[part]]
    moved = {pk: change for pk, _, change in found} if found and query.part else {}
    rows = _rows(_copies_of(ids, start=start, now=now), query, moved, start=start, now=now)
    return CollectionPage(
        query=query,
        rows=rows,
        copies=totals.copies,
        amount_minor=totals.amount_minor,
        moved_minor=sum(change or 0 for change in moved.values()) if query.part else None,
        index=_index(user_id, query, now=now),
        since=since_of(user_id, query, now=now),
        currency=PRICE_CURRENCY,
        accuracy=accuracy_of(shown, now=now, basis=query.basis)
        if query.is_filtered
        else shown_accuracy(user_id, totals, now=now, basis=query.basis),
        next_try=next_try(connection_of(user_id), now=now) if any(row.failure_reason for row in rows) else "",
        pages=[number if isinstance(number, int) else None for number in numbers],
        options=options_of(user_id),
        states=list(STATES.items()),
    )


def _index(user_id: int, query: ListQuery, *, now: datetime) -> Level | None:
    """How the prices of a filtered list have changed, like for like. One query."""
    if not query.is_filtered or query.part:
        return None
    copies = filtered(CollectionInstance.objects.of(user_id), query, user_id=user_id, now=now)
    return filter_index(copies, now.date() - TREND, now=now)


def since_of(user_id: int, query: ListQuery, *, now: datetime) -> date | None:
    """The day at whose end the change of a listed part begins: the first with a value in the range. Two queries."""
    if not query.part:
        return None
    first_day = first_value_day(user_id, query.basis)
    span = choose(query.range or DEFAULT_RANGE, today=now.date(), first_day=first_day)
    start = start_of(span, today=now.date(), first_day=first_day)
    return first_value_day(user_id, query.basis, start=start) or now.date()


def copies_in(user_id: int, query: ListQuery, *, now: datetime) -> Copies:
    """The copies held now with their worth; in a list of a part of a change, all copies that it moved."""
    mine = CollectionInstance.objects.of(user_id)
    since = since_of(user_id, query, now=now)
    if since is None:
        return with_worth(mine.held(), query.basis, at=now)
    return with_part(mine, query.basis, since, now=now).filter(part=query.part).exclude(moved=0)


Found = list[tuple[int, int | None, int | None]]


def _found(ordered: Copies) -> Found:
    """Every copy in order with its worth, and its change in a list of a part. One query: to filter twice costs more."""
    has_part = "moved" in ordered.query.annotations
    return list(ordered.values_list("pk", "worth", "moved" if has_part else Value(None, BigIntegerField())))


def _totals_of(found: Found) -> ViewTotals:
    amounts = [amount for _, amount, _ in found if amount is not None]
    return ViewTotals(len(found), sum(amounts) if amounts else None, newest_at=None)


def filtered(copies: Copies, query: ListQuery, *, user_id: int, now: datetime) -> Copies:
    for word in words_of(query.q).words:
        copies = copies.filter(
            Q(release__artists__icontains=word)
            | Q(release__title__icontains=word)
            | Q(release__labels__icontains=word)
            | Q(release__catalog_number__icontains=word)
        )
    if query.folder:
        copies = copies.filter(folder__name=query.folder)
    if query.genre:
        # Compare the list as text: SQLite cannot search JSON lists.
        copies = copies.annotate(genre_text=Cast("release__genres", TextField())).filter(
            genre_text__contains=json.dumps(query.genre)
        )
    if query.format:
        copies = copies.filter(
            Q(release__format=query.format) | Q(release__format__startswith=f"{query.format},")
        )
    if query.decade[:-1].isdecimal():
        first = int(query.decade[:-1])
        copies = copies.filter(release__year__gte=first, release__year__lt=first + 10)
    return _in_state(copies, query.state, user_id=user_id, now=now) if query.state else copies


def _in_state(copies: Copies, state: str, *, user_id: int, now: datetime) -> Copies:
    if state == "failed":
        return copies.filter(release__in=failed_releases(user_id))
    if state == "ungraded":
        return ungraded(copies)
    states = METER[state].states if state in METER else (state,)
    return copies.alias(state=state_at(now)).filter(state__in=states)


def in_order(copies: Copies, query: ListQuery, *, start: date, now: datetime) -> Copies:
    """Unknown values come last in either direction; equal ones in the order they were added.

    Copies have their `worth`. Until another order is chosen, those of a part of a change come in the order of its
    size, and those that are not graded in that of what a grade would tell: how far Very Good Plus is from the lowest
    listing, times the uncertainty of that.
    """
    name, is_descending = query.sort.removeprefix("-"), query.sort.startswith("-")
    if query.part and query.is_default_sort:
        return copies.order_by(Abs("moved").desc(), "-added_at", "id")
    if query.state == "ungraded" and query.is_default_sort:
        graded = at_grade_in_sql(F("release__price__near_mint_minor"), Value(FACTORS["Very Good Plus"]))
        told = (graded - Coalesce("worth", 0)) * Sqrt(variance_at(now))
        return copies.annotate(told=told).order_by(F("told").desc(nulls_last=True), "-added_at", "id")
    if name == "grade":
        ranks = [When(media_condition__startswith=grade, then=rank) for rank, grade in enumerate(_GRADES)]
        copies = copies.annotate(grade_rank=Case(*ranks, default=None, output_field=IntegerField()))
    if name == "change":
        amount = Case(When(counted(now), then="release__price__amount_minor"), default=None)
        copies = copies.annotate(amount=amount, then=amount_on(start, today=now.date())).annotate(
            trend=Case(When(then__gt=0, then=F("amount") * 100_000 / F("then")), default=None)
        )
    order = [OrderBy(F(field), descending=is_descending, nulls_last=True) for field in SORTS[name]]
    return copies.order_by(*order, "-added_at", "id")


def _copies_of(ids: list[int], *, start: date, now: datetime) -> list[Any]:
    """These copies in this order, each with `before`, its release's price at `start`. One query.

    Their ids are sorted first: sorting all copies with all their columns costs twice as much.
    """
    rows = CollectionInstance.objects.select_related("release__price", "folder")
    copies = rows.annotate(before=amount_on(start, today=now.date())).in_bulk(ids)
    return [copies[pk] for pk in ids if pk in copies]


def _rows(
    copies: list[Any], query: ListQuery, moved: Mapping[int, int | None], *, start: date, now: datetime
) -> list[CopyRow]:
    releases = {copy.release_id for copy in copies}
    history = history_of(releases, start=start)
    failed = last_failures(releases)
    return [
        _row(
            copy,
            worth_of(copy, getattr(copy.release, "price", None), query.basis, now=now),
            history.get(copy.release_id, []),
            failed.get(copy.release_id),
            moved_minor=moved.get(copy.pk),
            start=start,
        )
        for copy in copies
    ]


def _row(
    copy: Any,
    worth: CopyValue,
    history: list[tuple[date, int | None]],
    failed: PriceJob | None,
    *,
    moved_minor: int | None,
    start: date,
) -> CopyRow:
    price = getattr(copy.release, "price", None)
    failure = failure_since(price, failed)
    lowest = price.amount_minor if price else None
    return CopyRow(
        copy=copy,
        state=worth.state,
        state_label=label_of(worth.state, has_failed=failure is not None),
        source=worth.source,
        amount_minor=lowest if worth.amount_minor is None else worth.amount_minor,
        moved_minor=moved_minor,
        currency=PRICE_CURRENCY,
        last_minor=price.last_minor if price else None,
        num_for_sale=price.num_for_sale if price else None,
        want=price.want if price else None,
        observed_at=price.observed_at if price else None,
        change=change(copy.before, lowest) if worth.state in PRICED else None,
        spark=sparkline(history, width=SPARK_WIDTH, height=SPARK_HEIGHT, start=start),
        failure_reason=reason_of(failure) if failure else "",
    )
