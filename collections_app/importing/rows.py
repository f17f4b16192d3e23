"""Write the rows of a page, and of those only what differs from the stored ones."""

from collections.abc import Container, Mapping, Sequence
from typing import Any, TypeVar

from django.db import models

M = TypeVar("M", bound=models.Model)
Values = dict[str, Any]  # a row by its columns
SEEN = "seen_in_pass"


def stored_rows(rows: "models.QuerySet[Any]", key: str, keys: Mapping[int, object]) -> dict[int, Values]:
    """The stored rows whose `key` is one of these, by `key`: one query."""
    return {row[key]: row for row in rows.filter(**{f"{key}__in": list(keys)}).values()}


def write_differing(
    rows: "models.QuerySet[M]",
    wanted: Mapping[int, Values],
    stored: Mapping[int, Values],
    *,
    by: tuple[str, ...],
    kept: Container[str] = (),
) -> None:
    """Insert or update the wanted rows that differ from their stored ones; mark the others as seen.

    `wanted`: all columns of each row but its number and those `kept`, which only the site itself writes. An unchanged
    page costs one small statement.
    """
    differing: list[Values] = []
    seen: list[int] = []
    for key, values in wanted.items():
        row = stored.get(key)
        if row is not None and _is_same(values, row):
            seen.append(row["id"])
        else:
            differing.append(values)
    upsert([rows.model(**values) for values in differing], by=by, kept=kept)
    if seen:
        rows.filter(pk__in=seen).update(**{SEEN: next(iter(wanted.values()))[SEEN]})


def _is_same(values: Values, row: Values) -> bool:
    """Whether the row has these values, whichever pass has seen it."""
    return all(row[name] == value for name, value in values.items() if name != SEEN)


def upsert(rows: Sequence[M], *, by: tuple[str, ...], kept: Container[str] = ()) -> None:
    """Insert rows; where the key `by` exists, update all other columns but those `kept`.

    One statement on PostgreSQL; several on SQLite, which limits the parameters of one.
    """
    if not rows:
        return
    model = type(rows[0])
    others = [field.name for field in model._meta.concrete_fields if not field.primary_key]
    model._default_manager.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=by,
        update_fields=[name for name in others if name not in by and name not in kept],
    )
