"""The orders in which a collection can be requested. Pure."""

from collections_app.sandbox.http.answer import Refused, detail
from collections_app.sandbox.world.catalogue import ReleaseFacts
from collections_app.sandbox.world.holdings import Copy
from collections_app.sandbox.world.world import World

SORTS = ("label", "artist", "title", "catno", "format", "rating", "added", "year")


# The last collection sorted by date, in each order, so that an import does not have it sorted for each page.
_by_date: dict[str, tuple[tuple[Copy, ...], list[Copy]]] = {}


def sorted_copies(world: World, copies: tuple[Copy, ...], query: dict[str, str]) -> list[Copy]:
    """The copies in the order of `sort` and `sort_order` of the query. Raises Refused with 422 for unknown ones."""
    sort, order = query.get("sort", "added"), query.get("sort_order", "desc")
    if sort not in SORTS:
        raise Refused(
            detail(422, ["query", "sort"], f"value is not one of {', '.join(SORTS)}", "type_error.enum")
        )
    if order not in ("asc", "desc"):
        raise Refused(
            detail(422, ["query", "sort_order"], "value is not one of asc, desc", "type_error.enum")
        )
    if sort == "added":
        return _sorted_by_date(copies, order)
    return sorted(
        copies, key=lambda copy: (_sort_key(world, sort, copy), copy.instance_id), reverse=order == "desc"
    )


def _sorted_by_date(copies: tuple[Copy, ...], order: str) -> list[Copy]:
    known = _by_date.get(order)
    if known is None or known[0] is not copies:  # copies do not change: a changed collection is another tuple
        found = sorted(
            copies,
            key=lambda copy: (copy.date_added.timestamp(), copy.instance_id),
            reverse=order == "desc",
        )
        known = _by_date[order] = (copies, found)
    return known[1]


def _sort_key(world: World, sort: str, copy: Copy) -> float | str:
    if sort == "rating":
        return copy.rating
    return _fact_key(sort, world.release(copy.release_id))


def _fact_key(sort: str, facts: ReleaseFacts) -> float | str:
    if sort == "year":
        return facts.year
    texts = {
        "title": facts.title,
        "artist": facts.artists[0].name,
        "label": facts.labels[0].name,
        "catno": facts.labels[0].catno,
        "format": facts.formats[0].name,
    }
    return texts[sort].casefold()
