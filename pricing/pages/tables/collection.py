"""The list of copies: search, filters, sort and pages, all done by the database."""

import json
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Case, F, IntegerField, OrderBy, Q, QuerySet, TextField, When
from django.db.models.functions import Cast
from django.http import QueryDict

from collections_app.connections.lookup import connection_of
from collections_app.models import CollectionInstance
from collections_app.search import words_of
from pricing.daily.baselines import IntegerCase, amount_on
from pricing.models import PriceJob
from pricing.money.convert import PRICE_CURRENCY
from pricing.pages.charts import Change, change, sparkline
from pricing.pages.queries.accuracy import ViewTotals, shown_accuracy, totals_of
from pricing.pages.queries.dashboard import METER, failed_releases
from pricing.pages.queries.failures import failure_since, label_of, last_failures, next_try, reason_of
from pricing.pages.queries.history import history_of
from pricing.pages.tables.options import Options, options_of
from pricing.pages.time_limit import time_limit
from pricing.value.accuracy import Accuracy, accuracy_of
from pricing.value.current import state_of
from pricing.value.freshness import PRICED, STATE_LABELS, Freshness, counted, state_at

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
    "price": ("amount",),
    "change": ("moved",),
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
    sort: str = DEFAULT_SORT
    page: int = 1
    is_cut: bool = False  # whether the search has more words than are used

    @classmethod
    def of(cls, query: QueryDict) -> "ListQuery":
        sort, page = query.get("sort", ""), query.get("page", "")
        words, is_cut = words_of(query.get("q", ""))
        return cls(
            **{name: query.get(name, "").strip()[:MAX_CHOICE] for name in FACETS},
            q=" ".join(words),
            is_cut=is_cut,
            state=query.get("state", "") if query.get("state") in STATES else "",
            sort=sort if sort.removeprefix("-") in SORTS else DEFAULT_SORT,
            page=max(1, int(page[:9])) if page.isascii() and page.isdigit() else 1,
        )

    @property
    def parameters(self) -> QueryDict:
        """What an address of this list needs, without the page: a page repeats this in a dozen links."""
        chosen = {name: value for name in ("q", *FACETS, "state") if (value := getattr(self, name))}
        needed = QueryDict(mutable=True)
        needed.update(chosen if self.is_default_sort else {**chosen, "sort": self.sort})
        return needed

    @property
    def is_default_sort(self) -> bool:
        return self.sort == DEFAULT_SORT

    @property
    def is_filtered(self) -> bool:
        return any((self.q, self.folder, self.genre, self.format, self.decade, self.state))


@dataclass(frozen=True, slots=True)
class CopyRow:
    """One copy as the list shows it."""

    copy: CollectionInstance
    state: Freshness
    state_label: str
    amount_minor: int | None
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
    shown = filtered(CollectionInstance.objects.of(user_id).held(), query, user_id=user_id, now=now)
    found = _found(in_order(shown, query.sort, start=start, now=now), now=now) if query.is_filtered else None
    totals = totals_of(shown, now=now) if found is None else _totals_of(found)
    paginator = Paginator(range(totals.copies), PAGE_SIZE)  # for its arithmetic only
    query = replace(query, page=min(query.page, paginator.num_pages))
    numbers = paginator.get_elided_page_range(query.page, on_each_side=1, on_ends=1)
    part = slice((query.page - 1) * PAGE_SIZE, query.page * PAGE_SIZE)
    if found is None:
        ids = list(in_order(shown, query.sort, start=start, now=now).values_list("pk", flat=True)[part])
    else:
        ids = [pk for pk, _ in found[part]]
    rows = _rows(_copies_of(ids, start=start, now=now), start=start, now=now)
    return CollectionPage(
        query=query,
        rows=rows,
        copies=totals.copies,
        amount_minor=totals.amount_minor,
        currency=PRICE_CURRENCY,
        accuracy=accuracy_of(shown, now=now)
        if query.is_filtered
        else shown_accuracy(user_id, totals, now=now),
        next_try=next_try(connection_of(user_id), now=now) if any(row.failure_reason for row in rows) else "",
        pages=[number if isinstance(number, int) else None for number in numbers],
        options=options_of(user_id),
        states=list(STATES.items()),
    )


Found = list[tuple[int, int | None]]


def _found(ordered: "QuerySet[CollectionInstance]", *, now: datetime) -> Found:
    """Every copy in order with the amount that counts. One query: to filter all copies again costs more than these."""
    worth = IntegerCase(When(counted(now), then="release__price__amount_minor"), default=None)
    return list(ordered.values_list("pk", worth))


def _totals_of(found: Found) -> ViewTotals:
    amounts = [amount for _, amount in found if amount is not None]
    return ViewTotals(len(found), sum(amounts) if amounts else None, newest_at=None)


def filtered(
    copies: "QuerySet[CollectionInstance]", query: ListQuery, *, user_id: int, now: datetime
) -> "QuerySet[CollectionInstance]":
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
    if query.state == "failed":
        copies = copies.filter(release__in=failed_releases(user_id))
    elif query.state:
        states = METER[query.state].states if query.state in METER else (query.state,)
        copies = copies.alias(state=state_at(now)).filter(state__in=states)
    return copies


def in_order(
    copies: "QuerySet[CollectionInstance]", sort: str, *, start: date, now: datetime
) -> "QuerySet[CollectionInstance]":
    """Unknown values come last in either direction; equal ones in the order they were added."""
    name, is_descending = sort.removeprefix("-"), sort.startswith("-")
    if name == "grade":
        ranks = [When(media_condition__startswith=grade, then=rank) for rank, grade in enumerate(_GRADES)]
        copies = copies.annotate(grade_rank=Case(*ranks, default=None, output_field=IntegerField()))
    if name in ("price", "change"):
        amount = Case(When(counted(now), then="release__price__amount_minor"), default=None)
        copies = copies.annotate(amount=amount)
    if name == "change":
        copies = copies.annotate(then=amount_on(start, today=now.date())).annotate(
            moved=Case(When(then__gt=0, then=F("amount") * 100_000 / F("then")), default=None)
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


def _rows(copies: list[Any], *, start: date, now: datetime) -> list[CopyRow]:
    releases = {copy.release_id for copy in copies}
    history = history_of(releases, start=start)
    failed = last_failures(releases)
    return [
        _row(copy, history.get(copy.release_id, []), failed.get(copy.release_id), start=start, now=now)
        for copy in copies
    ]


def _row(
    copy: Any,
    history: list[tuple[date, int | None]],
    failed: PriceJob | None,
    *,
    start: date,
    now: datetime,
) -> CopyRow:
    price = getattr(copy.release, "price", None)
    state = state_of(price, copy.price_decision, now=now)
    failure = failure_since(price, failed)
    amount = price.amount_minor if price else None
    return CopyRow(
        copy=copy,
        state=state,
        state_label=label_of(state, has_failed=failure is not None),
        amount_minor=amount,
        currency=price.currency if price else "",
        last_minor=price.last_minor if price else None,
        num_for_sale=price.num_for_sale if price else None,
        want=price.want if price else None,
        observed_at=price.observed_at if price else None,
        change=change(copy.before, amount) if state in PRICED else None,
        spark=sparkline(history, width=SPARK_WIDTH, height=SPARK_HEIGHT, start=start),
        failure_reason=reason_of(failure) if failure else "",
    )
