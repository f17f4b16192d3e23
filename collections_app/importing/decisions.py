"""What owners have decided about prices, for copies that were stored without it."""

from collections.abc import Iterable

from collections_app.models import CollectionInstance, PriceDecision


def apply_decisions(connection_id: int, release_ids: Iterable[int]) -> None:
    """Give each copy of these releases, a new one too, the newest decision about it. One query if there is none."""
    log = PriceDecision.objects.filter(connection=connection_id, release__in=release_ids)
    mine = CollectionInstance.objects.filter(connection=connection_id)
    rows = log.order_by("decided_at").values_list("release_id", "decision", "decided_at")
    standing = {release: (decision, decided_at) for release, decision, decided_at in rows}
    for release, (decision, decided_at) in standing.items():
        others = mine.filter(release=release).exclude(price_decision=decision, decided_at=decided_at)
        others.update(price_decision=decision, decided_at=decided_at)
