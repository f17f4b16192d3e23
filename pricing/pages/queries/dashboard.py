"""Everything the dashboard shows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from django.core.cache import caches

from collections_app.models import CollectionInstance
from pricing.daily.parts import Moved, moved_since, split_of
from pricing.models import CollectionValue, PriceJob, ReleasePrice, RunItem, SyncRun
from pricing.pages.charts import (
    Change,
    Pill,
    Range,
    choose,
    copies_moved,
    pills,
    start_of,
)
from pricing.pages.queries.accuracy import Offer, ViewTotals, offer_of, shown_accuracy
from pricing.pages.queries.definitions import Definitions, definitions_for, has_range
from pricing.pages.queries.groups import GROUPINGS, Bar, Grouping, bars_for
from pricing.pages.queries.history import copies_removed_after, daily_values, first_value_day
from pricing.pages.queries.movers import Mover, Ranked, has_demo_data, ranked_for
from pricing.pages.queries.value_chart import IndexChart, ValueChart, chart_for
from pricing.pages.waterfall import Waterfall, index_over, waterfall_of
from pricing.value.accuracy import Accuracy
from pricing.value.cascade import Basis
from pricing.value.change import Part
from pricing.value.current import value_for
from pricing.value.freshness import PRICE_COUNTS_FOR, STATE_LABELS, Freshness, fresh_for
from pricing.value.valuation import Value
from pricing.value.worth import ungraded

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the meter of states; `start` and `width` in per cent of all copies."""

    key: str
    label: str
    copies: int
    start: str
    width: str
    filter: str  # of the collection list, which then shows exactly these copies


@dataclass(frozen=True, slots=True)
class Headline:
    """The value with its change over the range, the chart and the meter: the part that is live during a sync."""

    value: Value
    span: Range
    pills: list[Pill]
    points: list[CollectionValue]
    parts: dict[Part, Moved]  # of the change since the first day shown
    moved: tuple[int, int]  # copies added and removed in the range
    meter: list[Segment]
    accuracy: Accuracy

    @property
    def change(self) -> Change | None:
        """The change of the copies that had a market price then and have one now: what the market has done."""
        if len(self.points) < 2:
            return None
        split = split_of(self.parts)
        return Change(split.like_minor, split.like_minor + split.price)

    @property
    def waterfall(self) -> Waterfall | None:
        if len(self.points) < 2:
            return None
        return waterfall_of(self.parts, before_minor=self.points[-1].value_minor - split_of(self.parts).total)

    @property
    def index(self) -> Change | None:
        """The like-for-like index at the start of the range and now, in hundredths."""
        return index_over(self.points)

    def over_range(self, field: str) -> Change | None:
        """The change of a figure between the first and the last day shown."""
        if len(self.points) < 2:
            return None
        first, last = self.points[0], self.points[-1]
        return Change(getattr(first, field), getattr(last, field), *self.moved)

    @property
    def offer(self) -> Offer | None:
        return offer_of(self.accuracy)


@dataclass(frozen=True, slots=True)
class Tile:
    label: str
    figure: int | None
    change: Change | None = None
    of: int | None = None  # the figure is a part of this


@dataclass(frozen=True, slots=True)
class Attention:
    """The copies in a state that needs attention; `state` filters the collection, which then shows exactly these."""

    state: str
    label: str
    why: str
    copies: int
    verb: str = ""  # what its owner can do about it


@dataclass(frozen=True, slots=True)
class Dashboard:
    headline: Headline
    chart: ValueChart | IndexChart | None
    tiles: list[Tile]
    gainers: list[Mover]
    losers: list[Mover]
    by_amount: bool
    most_expensive: list[ReleasePrice]
    grouping: Grouping
    groupings: list[Grouping]
    bars: list[Bar]
    attention: list[Attention]
    definitions: Definitions | None
    is_demo: bool


def headline_for(user_id: int, *, range_key: str, now: datetime, basis: Basis = Basis.FLOOR) -> Headline:
    """Nine queries; five when nothing has changed since the last time."""
    value = value_for(user_id, now=now, basis=basis)
    today = now.date()
    first_day = first_value_day(user_id, basis)
    span = choose(range_key, today=today, first_day=first_day)
    start = start_of(span, today=today, first_day=first_day)
    points = daily_values(user_id, start=start, today=today, value=value)
    return Headline(
        value=value,
        span=span,
        pills=pills(span, today=today, first_day=first_day),
        points=points,
        parts=_parts_of(user_id, value, points[0].day, now=now) if len(points) > 1 else {},
        moved=_moved(user_id, points),
        meter=_meter(value),
        accuracy=shown_accuracy(
            user_id, ViewTotals(value.copies, value.amount_minor, value.as_of), now=now, basis=basis
        ),
    )


def _parts_of(user_id: int, value: Value, day: date, *, now: datetime) -> dict[Part, Moved]:
    """The parts of the change since a day: one query, none when nothing has changed."""
    return cached_for(user_id, value, f"parts:{day}", lambda: moved_since(user_id, value.basis, day, now=now))


def _moved(user_id: int, points: list[CollectionValue]) -> tuple[int, int]:
    if len(points) < 2:
        return 0, 0
    removed = copies_removed_after(user_id, points[0].day)
    return copies_moved(points[0].instances, points[-1].instances, removed=removed)


def dashboard_for(
    user_id: int,
    *,
    range_key: str,
    group: str,
    now: datetime,
    basis: Basis = Basis.FLOOR,
    by_amount: bool = False,
    chart: str = "",
) -> Dashboard:
    """Seventeen queries, whatever the size of the collection; ten when nothing has changed since the last time."""
    headline = headline_for(user_id, range_key=range_key, now=now, basis=basis)
    value = headline.value
    start = headline.points[0].day if headline.points else now.date()
    grouping = GROUPINGS[group]
    ranked = _ranked(user_id, value, start, now=now, by_amount=by_amount)
    shown = [mover.release.pk for mover in ranked.gainers + ranked.losers]
    return Dashboard(
        headline=headline,
        chart=chart_for(user_id, headline.points, kind=chart),
        tiles=_tiles(headline),
        gainers=ranked.gainers,
        losers=ranked.losers,
        by_amount=by_amount,
        most_expensive=ranked.most_expensive,
        grouping=grouping,
        groupings=list(GROUPINGS.values()),
        bars=cached_for(
            user_id, value, f"bars:{group}", lambda: bars_for(user_id, grouping, now=now, basis=basis)
        ),
        attention=_attention(
            headline.value,
            failed=_failed_copies(user_id),
            ungraded=cached_for(user_id, value, "ungraded", lambda: _ungraded_copies(user_id)),
        ),
        definitions=_definitions(user_id, value, now=now),
        is_demo=has_demo_data(shown + [price.release_id for price in ranked.most_expensive], start=start),
    )


def _ranked(user_id: int, value: Value, start: date, *, now: datetime, by_amount: bool) -> Ranked:
    """The movers since a day and the most expensive: two queries, none when nothing has changed."""
    return cached_for(
        user_id,
        value,
        f"ranked:{start}:{by_amount}",
        lambda: ranked_for(user_id, start=start, now=now, by_amount=by_amount),
    )


def cached_for(user_id: int, value: Value, name: str, compute: Callable[[], T]) -> T:
    """What has to read every copy: kept until a price, a copy, a figure or an expiry changes the value."""
    seen = value.as_of.timestamp() if value.as_of else 0
    key = f"{name}:{user_id}:{value.basis}:{seen}:{value.amount_minor}:{value.copies}:{value.priced}"
    found: T | None = caches["pages"].get(key)
    if found is None:
        found = compute()
        caches["pages"].set(key, found)
    return found


def failed_releases(user_id: int) -> list[int]:
    """The releases whose fetch failed for good in the user's last run over the whole collection."""
    last = SyncRun.objects.of(user_id).whole().order_by("-created_at").values("pk")[:1]
    items = RunItem.objects.filter(run__in=last, job__state=PriceJob.State.DEAD)
    return list(items.values_list("release_id", flat=True))


def _failed_copies(user_id: int) -> int:
    return CollectionInstance.objects.of(user_id).held().filter(release__in=failed_releases(user_id)).count()


def _ungraded_copies(user_id: int) -> int:
    return ungraded(CollectionInstance.objects.of(user_id).held()).count()


def _definitions(user_id: int, value: Value, *, now: datetime) -> Definitions | None:
    """The value by each definition. Two queries if Discogs has given its own range, and two more to add up anew."""
    if not has_range(user_id, now=now):
        return None
    other = Basis.FLOOR if value.basis == Basis.GRADE else Basis.GRADE
    totals = {
        value.basis: value.amount_minor,
        other: cached_for(
            user_id, value, f"on:{other}", lambda: value_for(user_id, now=now, basis=other).amount_minor
        ),
    }
    return definitions_for(
        user_id,
        total_minor=totals[Basis.FLOOR],
        by_grade_minor=totals[Basis.GRADE],
        as_of=value.as_of,
        now=now,
    )


def _tiles(headline: Headline) -> list[Tile]:
    value, over = headline.value, headline.over_range
    return [
        Tile("Copies", value.copies, over("instances")),
        Tile("Priced", value.priced, over("priced"), of=value.copies),
        Tile("Listings for sale", value.num_for_sale, over("num_for_sale")),
        Tile("People who want them", value.want, over("want")),
    ]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the meter: its label and the states of the copies in it."""

    label: str
    states: tuple[Freshness, ...]


METER = {
    "fresh": Piece("Fresh", (Freshness.FRESH,)),
    "ageing": Piece("Ageing, under a day", (Freshness.AGEING,)),
    "stale": Piece("Stale", (Freshness.STALE,)),
    "carried": Piece("Last seen", (Freshness.CARRIED,)),
    "none": Piece("None for sale", (Freshness.NONE_FOR_SALE,)),
    "shut": Piece("Blocked or gone", (Freshness.BLOCKED, Freshness.GONE)),
    "held": Piece("Held back", (Freshness.QUARANTINED,)),
    "out": Piece("Left out by you", (Freshness.LEFT_OUT,)),
    "never": Piece("Not known yet", (Freshness.EXPIRED, Freshness.NEVER_FETCHED)),
}


def _meter(value: Value) -> list[Segment]:
    hours = round(fresh_for().total_seconds() / 3600)
    segments, before = [], 0
    for key, part in METER.items():
        copies = sum(value.states.get(state, 0) for state in part.states)
        if copies:
            label = f"Fresh, under {hours} h" if key == "fresh" and hours else part.label
            start, width = (f"{n * 100 / value.copies:.2f}%" for n in (before, copies))
            chosen = key if len(part.states) > 1 else part.states[0].value
            segments.append(Segment(key, label, copies, start, width, chosen))
        before += copies
    return segments


_NEEDS_ATTENTION = {
    Freshness.QUARANTINED: "the price looks wrong, so it is not counted yet",
    Freshness.LEFT_OUT: "you decided never to count it",
    Freshness.CARRIED: f"none is for sale; the last price counts for {PRICE_COUNTS_FOR.days} days",
    Freshness.NONE_FOR_SALE: f"none is listed, and no price was seen in {PRICE_COUNTS_FOR.days} days",
    Freshness.BLOCKED: "Discogs does not allow its sale",
    Freshness.GONE: "the release was removed there",
    Freshness.EXPIRED: f"last seen over {PRICE_COUNTS_FOR.days} days ago, no longer counted",
}


_VERBS = {Freshness.QUARANTINED: "Decide"}


def _attention(value: Value, *, failed: int, ungraded: int) -> list[Attention]:
    rows = [
        Attention("failed", "Failed", "could not be fetched in the last sync", failed),
        *(
            Attention(
                state.value, STATE_LABELS[state], why, value.states.get(state, 0), _VERBS.get(state, "")
            )
            for state, why in _NEEDS_ATTENTION.items()
        ),
    ]
    why = "Discogs suggests prices by grade for them"
    rows.append(Attention("ungraded", "Not graded", why, ungraded, "Grade these first"))
    return [row for row in rows if row.copies]
