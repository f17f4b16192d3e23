"""The structure of a section. Knows neither which sections there are nor how they are written."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import F, Model, QuerySet
from django.db.models.expressions import Combinable

from pricing.export.kinds import Kind

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: Kind
    source: str = ""  # the field it comes from, if that has another name
    default: str | int | None = (
        None  # its value in older files, which do not have the column; None: all have it
    )
    is_new: bool = False  # older files do not have it: it is null for them

    @property
    def field(self) -> str:
        return self.source or self.name


@dataclass(frozen=True)
class Section:
    """One kind of row. Without a `key` there is at most one row; with a key, rows are unique and in its order."""

    name: str
    model: type[Model]
    columns: tuple[Column, ...]
    rows: Callable[[int], "QuerySet[Any]"]  # takes the user's id
    key: tuple[str, ...] = ()
    owner: str = (
        ""  # the field that names the owner; empty: shared by all users, so a site's existing rows stay
    )
    is_new: bool = False  # older files do not have it
    dropped: tuple[str, ...] = ()  # columns of older files that are read no more
    # Checks the columns of a row against each other; returns what is wrong.
    check: Callable[[Values], str] | None = None

    @property
    def is_shared(self) -> bool:
        return bool(self.key) and not self.owner

    @cached_property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def defaults(self) -> Values:
        columns = [column for column in self.columns if column.is_new or column.default is not None]
        return {column.name: column.default for column in columns}

    @cached_property
    def fields(self) -> list[str]:
        return [column.field for column in self.columns]

    def order(self, collate: Callable[[F], Combinable]) -> list[Combinable]:
        """The key for ORDER BY; `collate` makes the database compare texts by code point, as Python does."""
        columns = [self.by_name[name] for name in self.key]
        return [collate(F(each.field)) if each.kind.is_text else F(each.field) for each in columns]
