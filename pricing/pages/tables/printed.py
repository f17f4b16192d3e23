"""All copies of a view of the collection on one page, for paper."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F

from pricing.daily.baselines import amount_on
from pricing.models import Doubt
from pricing.money.convert import PRICE_CURRENCY
from pricing.pages.charts import Change, change
from pricing.pages.queries.accuracy import totals_of
from pricing.pages.tables.collection import (
    MAX_SEARCH_SECONDS,
    STATES,
    TREND,
    ListQuery,
    copies_in,
    filtered,
    in_order,
)
from pricing.pages.time_limit import time_limit
from pricing.pages.waterfall import PARTS
from pricing.value.change import Part
from pricing.value.freshness import PRICED, STATE_LABELS, Freshness, fresh_for, freshness

MAX_ROWS = 20_000
NOT_SHOWN = ("status", "before", "doubt", "price_decision", "last_priced_at", "worth")
_FACTS = {
    "title": F("release__title"),
    "artists": F("release__artists"),
    "format": F("release__format"),
    "year": F("release__year"),
    "status": F("release__price__status"),
    "amount_minor": F("release__price__amount_minor"),
    "num_for_sale": F("release__price__num_for_sale"),
    "want": F("release__price__want"),
    "observed_at": F("release__price__observed_at"),
    "last_priced_at": F("release__price__last_priced_at"),
    "doubt": F("release__price__doubt"),
}


@dataclass(frozen=True, slots=True)
class PrintedCopy:
    """One copy: the columns of the list that are worth their paper."""

    title: str
    artists: str
    format: str
    year: int | None
    media_condition: str
    state: Freshness
    amount_minor: int | None
    currency: str | None
    num_for_sale: int | None
    want: int | None
    observed_at: datetime | None
    is_priced: bool
    change: Change | None

    @property
    def state_label(self) -> str:
        return STATE_LABELS[self.state]


@dataclass(frozen=True, slots=True)
class PrintedList:
    query: ListQuery
    rows: list[PrintedCopy]
    copies: int
    amount_minor: int | None
    currency: str

    @property
    def filters(self) -> list[tuple[str, str]]:
        """What was chosen, by its label on the page."""
        chosen = [
            ("Search", self.query.q),
            *(
                (name.capitalize(), getattr(self.query, name))
                for name in ("folder", "genre", "format", "decade")
            ),
            ("State", STATES.get(self.query.state, "")),
            ("Change", PARTS[Part(self.query.part)][0] if self.query.part else ""),
        ]
        return [(label, value) for label, value in chosen if value]


def printed_for(user_id: int, query: ListQuery, *, now: datetime) -> PrintedList:
    """All copies of a view in its order, up to MAX_ROWS. Two queries, one more for the state `failed`.

    Raises TookTooLong when it is filtered.
    """
    with time_limit(MAX_SEARCH_SECONDS) if query.is_filtered else nullcontext():
        shown = filtered(copies_in(user_id, query, now=now), query, user_id=user_id, now=now)
        totals = totals_of(shown, now=now, basis=query.basis)
        start = now.date() - TREND
        ordered = in_order(shown, query, start=start, now=now).annotate(
            before=amount_on(start, today=now.date())
        )
        facts = ordered.values("media_condition", "price_decision", "before", "worth", **_FACTS)[:MAX_ROWS]
        rows = [_row(of_copy, now=now) for of_copy in facts]
    return PrintedList(query, rows, totals.copies, totals.amount_minor, PRICE_CURRENCY)


def _row(facts: Mapping[str, Any], *, now: datetime) -> PrintedCopy:
    state = freshness(
        facts["status"],
        facts["observed_at"],
        now=now,
        fresh_for=fresh_for(),
        doubt=facts["doubt"] or Doubt.NONE,
        decision=facts["price_decision"],
        last_priced_at=facts["last_priced_at"],
    )
    lowest, worth = facts["amount_minor"], facts["worth"]
    moved = change(facts["before"], lowest) if state in PRICED else None
    shown = {name: value for name, value in facts.items() if name not in NOT_SHOWN}
    shown |= {"amount_minor": lowest if worth is None else worth, "currency": PRICE_CURRENCY}
    return PrintedCopy(**shown, state=state, is_priced=worth is not None, change=moved)
