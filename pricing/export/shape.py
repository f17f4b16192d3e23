"""What a section of an export is. Knows neither which there are nor how they are written."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import F, Model, QuerySet
from django.db.models.expressions import Combinable

from pricing.export.kinds import Kind

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: Kind
    source: str = ""  # the field it comes from, where that has another name

    @property
    def field(self) -> str:
        return self.source or self.name


@dataclass(frozen=True)
class Section:
    """One kind of row. Without a `key` there is one row at most; with one, rows are in its order, each once."""

    name: str
    model: type[Model]
    columns: tuple[Column, ...]
    rows: Callable[[int], "QuerySet[Any]"]  # of a user's id
    key: tuple[str, ...] = ()
    owner: str = ""  # the field that says whose it is; empty: everybody's, so what a site knows already stays
    # What its columns must agree on; returns what is wrong.
    check: Callable[[Row], str] | None = None

    @property
    def is_shared(self) -> bool:
        return bool(self.key) and not self.owner

    @cached_property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def fields(self) -> list[str]:
        return [column.field for column in self.columns]

    def order(self, collate: Callable[[F], Combinable]) -> list[Combinable]:
        """The key as the database is to sort by it; `collate` makes it compare texts by code point, as Python does."""
        columns = [self.by_name[name] for name in self.key]
        return [collate(F(each.field)) if each.kind.is_text else F(each.field) for each in columns]
