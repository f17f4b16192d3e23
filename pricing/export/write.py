"""Write everything of a user as one JSON document, a row in a line: valid as a whole and readable line by line."""

import json
import re
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django.db import connection
from django.db.models.functions import Collate

from pricing.export.kinds import MOMENT
from pricing.export.sections import FORMAT, SECTIONS, VERSION
from pricing.export.shape import Section

AT_ONCE = 500  # rows read from the database
LINES = 100  # in one piece of the answer

BEGIN = {"postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "sqlite": "BEGIN"}
BY_CODE_POINT = {"postgresql": "C", "sqlite": "BINARY"}


def file_name(username: str, *, now: datetime) -> str:
    """A name that no file system takes amiss, whatever the user is called."""
    safe = re.sub(r"[^A-Za-z0-9_-]+", "-", username).strip("-")[:60]
    return f"crateworth-{safe or 'user'}-{now.astimezone(UTC):%Y-%m-%d}.json"


def document(user_id: int, *, now: datetime) -> Generator[str]:
    """The document in pieces of some lines. Two of the same data differ in `exported_at` only.

    Meant to be consumed or closed: until then it keeps one moment of the database open.
    """
    # The lines are closed first: what they read with belongs to the moment.
    with _one_moment(), closing(_lines(user_id, now=now)) as lines:
        while piece := list(islice(lines, LINES)):
            yield "\n".join([*piece, ""])


@contextmanager
def _one_moment() -> Iterator[None]:
    """All that is read inside is of one moment. It takes no lock: nobody waits for a slow download.

    Not transaction.atomic(): on SQLite that is IMMEDIATE here, which would keep every writer out.
    """
    if connection.in_atomic_block:  # the caller has a moment of their own
        yield
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute(BEGIN[connection.vendor])
        yield
    finally:
        connection.close()  # ends it, whatever state it is in


def _lines(user_id: int, *, now: datetime) -> Generator[str]:
    yield f'{{"format": "{FORMAT}", "version": {VERSION}, "exported_at": "{MOMENT.write(now)}",'
    for section in SECTIONS:
        rows = _rows(section, user_id)
        if section.key:
            yield f'"{section.name}": ['
            yield from _separated(rows)
            yield "],"
        else:
            yield f'"{section.name}": {next(rows, "null")},'
    # A file that was cut off does not say this.
    yield '"complete": true'
    yield "}"


def _rows(section: Section, user_id: int) -> Iterator[str]:
    order = section.order(lambda field: Collate(field, BY_CODE_POINT[connection.vendor]))
    rows = section.rows(user_id).order_by(*order).values_list(*section.fields)
    for row in rows.iterator(chunk_size=AT_ONCE):
        pairs = zip(section.columns, row, strict=True)
        yield _json({column.name: column.kind.write(value) for column, value in pairs})


def _json(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False)


def _separated(rows: Iterator[str]) -> Iterator[str]:
    before = next(rows, None)
    for row in rows:
        yield f"{before},"
        before = row
    if before is not None:
        yield before
