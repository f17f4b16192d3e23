"""The values that owners have set for their copies, as pages show them."""

from collections.abc import Iterable

from collections_app.models import CollectionInstance, OwnValue


def own_values_of(copies: Iterable[CollectionInstance]) -> dict[int, OwnValue]:
    """The value that stands for each of these copies that has one, by the copy's id. One query if any has one."""
    valued = [copy.pk for copy in copies if copy.own_minor is not None]
    rows = OwnValue.objects.filter(copy__in=valued).order_by("set_at") if valued else []
    return {row.copy_id: row for row in rows}
