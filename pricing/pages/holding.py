"""What each held copy of one release is worth, and the profit against what was paid for it. Pure."""

from dataclasses import dataclass

from collections_app.models import CollectionInstance, Decision
from pricing.models import ReleasePrice
from pricing.pages.charts import Change
from pricing.value.cascade import Basis, CopyFacts, CopyValue, Source, value_of_copy
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


def own_copy(
    copy: CollectionInstance, price: ReleasePrice | None, *, state: Freshness, amount_minor: int | None
) -> OwnCopy:
    """A copy and its value, by grade where its grade is known. `amount_minor`: the price that counts now."""
    facts = CopyFacts(
        state=state,
        floor_minor=amount_minor,
        num_for_sale=price.num_for_sale if price else None,
        own_minor=copy.own_minor,
        grade=copy.media_condition,
        near_mint_minor=price.near_mint_minor if price else None,
        is_left_out=copy.price_decision == Decision.NEVER,
    )
    return OwnCopy(copy, value_of_copy(facts, Basis.GRADE))
