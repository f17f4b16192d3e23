"""What the last complete reading of a collection leaves to say to its owner: one query."""

from dataclasses import dataclass, field

from collections_app.importing.unread import NamedRow, What, number_of
from collections_app.models import DiscogsConnection, ImportPass

State = ImportPass.State


@dataclass(frozen=True, slots=True)
class Reading:
    """The last complete import pass; with `is_complete` False there has been none."""

    is_complete: bool = False
    is_reading_again: bool = False  # a pass is running, which decides about the missing copies
    missing_copies: int = 0  # not seen, and kept until a second pass has not seen them either
    missing_wants: int = 0  # the same for the wantlist
    unread_count: int = 0
    unread_copies: int = 0  # of these
    unread: list[NamedRow] = field(default_factory=list)


def last_reading(connection: DiscogsConnection | None) -> Reading:
    # At most one pass is running, and it is the newest of those that have not failed.
    passes = ImportPass.objects.filter(
        connection=connection, state__in=(State.RUNNING, State.COMPLETE)
    ).order_by("-pk")
    newest = {import_pass.state: import_pass for import_pass in reversed(passes[:2])}
    last = newest.get(State.COMPLETE)
    if last is None:
        return Reading()
    return Reading(
        is_complete=True,
        is_reading_again=State.RUNNING in newest,
        missing_copies=last.unconfirmed_copies,
        missing_wants=last.unconfirmed_wants,
        unread_count=last.unread_count,
        unread_copies=number_of(last, What.COPY),
        unread=last.unread,
    )
