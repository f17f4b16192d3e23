"""What a copy keeps of the logs about it that were restored: the owner's own value, and when its grade changed."""

from collections.abc import Iterable

from collections_app.models import CollectionInstance, GradeEdit, OwnValue


def apply_own_values(rows: Iterable[OwnValue]) -> None:
    """Give each copy the newest of these values. They are in the order of their time. One statement."""
    newest = {row.copy_id: row for row in rows}
    copies = [
        CollectionInstance(pk=copy_id, own_minor=row.usd_minor, own_set_at=row.set_at)
        for copy_id, row in newest.items()
    ]
    CollectionInstance.objects.bulk_update(copies, ["own_minor", "own_set_at"])


def apply_grade_edits(rows: Iterable[GradeEdit]) -> None:
    """Give each copy the time of the newest of these edits. They are in the order of their time. One statement."""
    newest = {row.copy_id: row.edited_at for row in rows}
    copies = [
        CollectionInstance(pk=copy_id, grade_edited_at=edited_at) for copy_id, edited_at in newest.items()
    ]
    CollectionInstance.objects.bulk_update(copies, ["grade_edited_at"])
