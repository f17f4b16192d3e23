"""What each held copy of one release is worth, and the profit against what was paid for it. Pure."""

from dataclasses import dataclass

from collections_app.models import CollectionInstance
from pricing.models import ReleasePrice
from pricing.pages.charts import Change
from pricing.value.cascade import Basis, CopyValue, Source
from pricing.value.current import worth_in
from pricing.value.freshness import Freshness

SOURCE_LABELS = {
    Source.OWN: "your own figure",
    Source.GRADE: "in this grade, by Discogs’ suggestion",
    Source.FLOOR: "lowest listing, in any condition",
    Source.CARRIED: "last seen",
    Source.NONE: "",
}


@dataclass(frozen=True, slots=True)
class OwnCopy:
    copy: CollectionInstance
    value: CopyValue

    @property
    def source_label(self) -> str:
        return SOURCE_LABELS[self.value.source]

    def profit_in(self, currency: str, worth_minor: int | None) -> Change | None:
        """From what was paid to the worth, which is in `currency`; None unless both are known and it was paid in it."""
        paid = self.copy.paid_minor
        if paid is None or worth_minor is None or self.copy.paid_currency != currency:
            return None
        return Change(paid, worth_minor)


def own_copy(copy: CollectionInstance, price: ReleasePrice | None, *, state: Freshness) -> OwnCopy:
    """A copy and its value, by grade where its grade is known. `state`: of the price, for the owner."""
    return OwnCopy(copy, worth_in(state, copy, price, Basis.GRADE))
