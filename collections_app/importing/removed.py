"""What is no longer at Discogs: copies and wants that an import pass did not see.

They count as removed if the pass was complete and consistent. Many at once, or all of them, count only if the pass
before did not see them either, since Discogs may answer with a part of a collection. The second pass follows at once.
"""

import logging
from datetime import datetime
from typing import TypeVar

from django.db import models
from django.db.models import Q

from collections_app.models import CollectionInstance, Folder, ImportPass, WantlistItem

logger = logging.getLogger(__name__)

MAX_SHARE = 0.2  # of the copies or wants that one import pass may mark as removed
MAX_FEW = 5  # so many may go at once from a collection of any size, unless nothing would be left

M = TypeVar("M", bound=models.Model)


def note_removed_copies(import_pass: ImportPass, *, now: datetime) -> None:
    """Mark as removed the copies that this pass did not see, if that is certain, and count the others."""
    held = CollectionInstance.objects.filter(connection=import_pass.connection_id).held()
    if import_pass.instances_consistent:
        gone = _certain(held, _previous_pass(import_pass, Q(instances_consistent=True)), import_pass)
        if number := gone.update(removed_at=now):
            logger.info("import %s: %s copies gone at Discogs", import_pass.pk, number)
        # Only now: deleting folders during a pass that then fails would leave copies without a folder.
        folders = Folder.objects.filter(connection=import_pass.connection_id)
        folders.exclude(seen_in_pass=import_pass.pk).delete()
    import_pass.unconfirmed_copies = held.exclude(seen_in_pass=import_pass.pk).count()


def delete_removed_wants(import_pass: ImportPass) -> None:
    """Delete the wants that this pass did not see, if that is certain, and count the others."""
    wants = WantlistItem.objects.filter(connection=import_pass.connection_id)
    if import_pass.wants_consistent:
        gone = _certain(wants, _previous_pass(import_pass, Q(wants_consistent=True)), import_pass)
        if number := gone.delete()[0]:
            logger.info("import %s: %s wants gone at Discogs", import_pass.pk, number)
    import_pass.unconfirmed_wants = wants.exclude(seen_in_pass=import_pass.pk).count()


def start_confirmation(import_pass: ImportPass, *, now: datetime) -> ImportPass | None:
    """Start a second pass at once if this one left something undecided that a second one can decide.

    That needs two consistent passes. Call it once the pass is complete. The supervisor queues the first step. A second
    pass is never followed by a third.
    """
    copies = import_pass.instances_consistent and import_pass.unconfirmed_copies
    wants = import_pass.wants_consistent and import_pass.unconfirmed_wants
    if not (copies or wants) or import_pass.is_confirmation or import_pass.unread_count:
        return None
    return ImportPass.objects.create(
        connection_id=import_pass.connection_id, started_at=now, is_confirmation=True
    )


def confirmation_of(import_pass: ImportPass) -> ImportPass | None:
    """The second pass that this one started, if it is still running."""
    later = ImportPass.objects.running().filter(connection=import_pass.connection_id, pk__gt=import_pass.pk)
    return later.filter(is_confirmation=True).first()


def _previous_pass(import_pass: ImportPass, consistent: Q) -> ImportPass | None:
    passes = ImportPass.objects.filter(
        consistent, connection=import_pass.connection_id, state=ImportPass.State.COMPLETE
    )
    return passes.exclude(pk=import_pass.pk).order_by("-pk").first()


def _certain(
    rows: "models.QuerySet[M]", previous: ImportPass | None, import_pass: ImportPass
) -> "models.QuerySet[M]":
    """The rows the import pass did not see. Many at once only if the previous pass did not see them either."""
    unseen = rows.exclude(seen_in_pass=import_pass.pk)
    number, whole = unseen.count(), rows.count()
    if number < whole and number <= max(MAX_FEW, MAX_SHARE * whole):
        return unseen
    return unseen.filter(seen_in_pass__lt=previous.pk) if previous else unseen.none()
