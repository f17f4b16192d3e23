"""All copies of a view of the list, to be changed at once."""

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from collections_app.models import CollectionInstance
from pricing.money.convert import PRICE_CURRENCY
from pricing.pages.queries.accuracy import totals_of
from pricing.pages.tables.collection import MAX_SEARCH_SECONDS, ListQuery, filtered
from pricing.pages.time_limit import time_limit
from pricing.value.own import MAX_COPIES


@dataclass(frozen=True, slots=True)
class Selection:
    query: ListQuery
    copy_ids: list[int]
    valued: int  # copies that have a value of their owner's
    amount_minor: int | None  # None: none has a value
    currency: str = PRICE_CURRENCY

    @property
    def copies(self) -> int:
        return len(self.copy_ids)

    @property
    def is_too_large(self) -> bool:
        return self.copies > MAX_COPIES

    @property
    def key(self) -> str:
        """Differs if any copy differs, so that what was confirmed for one selection is not done to another."""
        return sha256(",".join(map(str, self.copy_ids)).encode()).hexdigest()[:32]


def selection_for(user_id: int, query: ListQuery, *, now: datetime) -> Selection:
    """Two queries. Raises TookTooLong when it is filtered."""
    with time_limit(MAX_SEARCH_SECONDS) if query.is_filtered else nullcontext():
        shown = filtered(CollectionInstance.objects.of(user_id).held(), query, user_id=user_id, now=now)
        found = list(shown.order_by("pk").values_list("pk", "own_minor"))
        totals = totals_of(shown, now=now)
    return Selection(
        query=query,
        copy_ids=[pk for pk, _ in found],
        valued=sum(own is not None for _, own in found),
        amount_minor=totals.amount_minor,
    )
