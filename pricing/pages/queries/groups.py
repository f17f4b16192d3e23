"""A collection's value by genre, decade, format or folder."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Sum

from collections_app.models import CollectionInstance
from pricing.value.cascade import Basis
from pricing.value.worth import with_worth

# Bars shown; the rest is summed into one.
MAX_BARS = 7


@dataclass(frozen=True, slots=True)
class Grouping:
    """`field` is the lookup from a copy to its group, `label` turns its value into words."""

    key: str
    words: str
    field: str
    label: Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    amount_minor: int
    copies: int
    width: str  # per cent of the longest
    is_rest: bool = False


def main_format(line: str) -> str:
    """The first word of Discogs' format line: LP of `LP, Album, Reissue`."""
    return line.partition(",")[0].strip()


def decade_of(year: int | None) -> str:
    return f"{year // 10 * 10}s" if year else ""


GROUPINGS = {
    grouping.key: grouping
    for grouping in (
        Grouping("genre", "By genre", "release__genres", lambda genres: genres[0] if genres else ""),
        Grouping("decade", "By decade", "release__year", decade_of),
        Grouping("format", "By format", "release__format", main_format),
        Grouping("folder", "By folder", "folder__name", lambda name: name or ""),
    )
}
DEFAULT_GROUPING = "genre"


def bars_for(user_id: int, grouping: Grouping, *, now: datetime, basis: Basis = Basis.FLOOR) -> list[Bar]:
    """The value of each group, largest first; their sum is the estimated value. One query."""
    held = with_worth(CollectionInstance.objects.of(user_id).held(), basis, at=now)
    rows = (
        held.filter(worth__isnull=False)
        .values_list(grouping.field)
        .annotate(amount=Sum("worth"), copies=Count("id"))
        .order_by()
    )
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for key, amount, copies in rows:
        entry = sums[grouping.label(key)]
        entry[0] += amount
        entry[1] += copies
    groups = [(label, amount, copies) for label, (amount, copies) in sums.items()]
    return _bars(sorted(groups, key=lambda row: -row[1]))


def _bars(rows: list[tuple[str, int, int]]) -> list[Bar]:
    shown, rest = rows[:MAX_BARS], rows[MAX_BARS:]
    largest = max((amount for _, amount, _ in shown), default=0)
    bars = [Bar(label, amount, copies, _width(amount, largest)) for label, amount, copies in shown]
    if rest:
        amount, copies = sum(row[1] for row in rest), sum(row[2] for row in rest)
        bars.append(Bar("Others", amount, copies, _width(min(amount, largest), largest), is_rest=True))
    return bars


def _width(amount: int, largest: int) -> str:
    return f"{amount * 100 / largest if largest else 0:.1f}%"
