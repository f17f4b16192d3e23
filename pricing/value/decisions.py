"""What owners decide about the price of a release: count it while it is doubted, or never. Kept with its time."""

from collections import defaultdict
from datetime import datetime

from django.db import transaction

from collections_app.models import CollectionInstance, Decision, DiscogsConnection, PriceDecision

# When an owner decided, and what.
Decided = tuple[datetime, str]


def decide(user_id: int, release_id: int, decision: Decision, *, now: datetime) -> bool:
    """Store a decision for all of a user's copies of a release; False if the user holds none."""
    with transaction.atomic():
        # Two decisions at once would leave the copies with one of them and the log with the other as the newest.
        connection = DiscogsConnection.objects.select_for_update(no_key=True).filter(user_id=user_id).first()
        if connection is not None:
            # An import step that stores a new copy now would miss the decision, and the update below the copy.
            list(connection.import_passes.running().select_for_update(no_key=True).values("pk"))
        mine = CollectionInstance.objects.of(user_id).filter(release=release_id)
        if connection is None or not mine.held().exists():
            return False
        log = PriceDecision.objects.filter(connection=connection, release=release_id)
        log.filter(
            decided_at__gte=now
        ).delete()  # of a clock that was ahead: they would stand for longer than this one
        log.create(connection=connection, release_id=release_id, decision=decision, decided_at=now)
        mine.update(price_decision=decision, decided_at=now)
    return True


def decisions_of(user_id: int) -> dict[int, list[Decided]]:
    """A user's decisions about each release, oldest first. One query."""
    found: dict[int, list[Decided]] = defaultdict(list)
    rows = PriceDecision.objects.filter(connection__user_id=user_id).order_by("decided_at")
    for release, decided_at, decision in rows.values_list("release_id", "decided_at", "decision"):
        found[release].append((decided_at, decision))
    return found
