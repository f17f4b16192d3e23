"""Odd rows of a collection or wantlist, as old accounts, other programs and users have left them at Discogs."""

from collections.abc import Callable
from typing import Any

Row = dict[str, Any]


def _fact(**changed: Any) -> Callable[[Row], Row]:
    return lambda row: row | {"basic_information": row["basic_information"] | changed}


def _set(**changed: Any) -> Callable[[Row], Row]:
    return lambda row: row | changed


def _text_year(row: Row) -> Row:
    return _fact(year=str(row["basic_information"]["year"]))(row)


def _number_quantity(row: Row) -> Row:
    formats = [{**one, "qty": int(one["qty"])} for one in row["basic_information"]["formats"]]
    return _fact(formats=formats)(row)


def _null_genre(row: Row) -> Row:
    return _fact(genres=[*row["basic_information"]["genres"], None])(row)


def _number_note(row: Row) -> Row:
    return row | {"notes": [{"field_id": 3, "value": 12.5}]}


def _no_folder(row: Row) -> Row:
    return {key: value for key, value in row.items() if key != "folder_id"}


# What a rule of the kind "odd" may make of a row. The last three cannot be read.
ODDITIES: dict[str, Callable[[Row], Any]] = {
    "null_title": _fact(title=None),
    "text_year": _text_year,
    "number_quantity": _number_quantity,
    "null_genre": _null_genre,
    "null_date": _set(date_added=None),
    "date_before_1970": _set(date_added="1969-12-31T16:00:00-08:00"),
    "number_note": _number_note,
    "no_folder": _no_folder,
    "no_facts": _set(basic_information=None),
    "no_instance": _set(instance_id=None),
    "null_row": lambda _row: None,
}


def odd_rows(rows: list[Row], releases: dict[str, str]) -> list[Any]:
    """The rows, those of these releases made odd; KeyError for an unknown oddity."""
    return [ODDITIES[releases[str(row["id"])]](row) if str(row["id"]) in releases else row for row in rows]
