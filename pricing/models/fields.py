"""Fields that store a value of a large table in two bytes, and give it back as it was."""

from collections.abc import Mapping
from typing import Any

from django.db import models


class CodedField(models.Field):
    """A text of a fixed set, stored as a small number. `codes`: the number of each text; one once used stays.

    Filters and constraints take the text. A text without a number raises ValueError.
    """

    non_db_attrs = (*models.Field.non_db_attrs, "codes")  # a further code changes no column

    def __init__(self, *args: Any, codes: Mapping[str, int], **options: Any) -> None:
        self.codes = dict(codes)
        self._texts = {code: text for text, code in self.codes.items()}
        super().__init__(*args, **options)

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, "codes": self.codes}

    def get_internal_type(self) -> str:
        return "SmallIntegerField"

    def get_prep_value(self, value: Any) -> int | None:
        value = super().get_prep_value(value)
        if value is not None and value not in self.codes:
            raise ValueError(f"{self.name}: no code for {value!r}")
        return None if value is None else self.codes[value]

    def from_db_value(self, value: int | None, expression: object, connection: object) -> str | None:
        return None if value is None else self._texts[value]


class HundredthsField(models.Field):
    """A number with two decimals, up to 327.67, stored as whole hundredths; more decimals are rounded."""

    def get_internal_type(self) -> str:
        return "SmallIntegerField"

    def get_prep_value(self, value: Any) -> int | None:
        value = super().get_prep_value(value)
        return None if value is None else round(float(value) * 100)

    def from_db_value(self, value: int | None, expression: object, connection: object) -> float | None:
        return None if value is None else value / 100
