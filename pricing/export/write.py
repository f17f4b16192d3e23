"""Write everything about a user as one JSON document, one row per line: valid as a whole, readable line by line."""

import json
import re
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django.db import connection
from django.db.models.functions import Collate

from pricing.export.kinds import DATETIME
from pricing.export.sections import FORMAT, SECTIONS, VERSION
from pricing.export.shape import Section

BATCH = 500  # rows read from the database at a time
LINES = 100  # in one chunk of the response

BEGIN = {"postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "sqlite": "BEGIN"}
BY_CODE_POINT = {"postgresql": "C", "sqlite": "BINARY"}


def file_name(username: str, *, now: datetime) -> str:
    """A name that every file system accepts, whatever the username is."""
    safe = re.sub(r"[^A-Za-z0-9_-]+", "-", username).strip("-")[:60]
    return f"crateworth-{safe or 'user'}-{now.astimezone(UTC):%Y-%m-%d}.json"


def document(user_id: int, *, now: datetime) -> Generator[str]:
    """The document in chunks of LINES lines. Two documents of the same data differ in `exported_at` only.

    The caller must consume or close it: until then it keeps a transaction open.
    """
    # The lines are closed first: their database cursor belongs to the transaction.
    with _one_snapshot(), closing(_lines(user_id, now=now)) as lines:
        while chunk := list(islice(lines, LINES)):
            yield "\n".join([*chunk, ""])


@contextmanager
def _one_snapshot() -> Iterator[None]:
    """Read everything inside from one snapshot. It takes no lock, so a slow download delays no other request.

    Not transaction.atomic(): on SQLite that is IMMEDIATE here, which would block every writer.
    """
    if connection.in_atomic_block:  # the caller has its own transaction
        yield
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute(BEGIN[connection.vendor])
        yield
    finally:
        connection.close()  # ends the transaction, whatever its state


def _lines(user_id: int, *, now: datetime) -> Generator[str]:
    yield f'{{"format": "{FORMAT}", "version": {VERSION}, "exported_at": "{DATETIME.write(now)}",'
    for section in SECTIONS:
        rows = _rows(section, user_id)
        if section.key:
            yield f'"{section.name}": ['
            yield from _separated(rows)
            yield "],"
        else:
            yield f'"{section.name}": {next(rows, "null")},'
    # A file that was cut off lacks this line.
    yield '"complete": true'
    yield "}"


def _rows(section: Section, user_id: int) -> Iterator[str]:
    order = section.order(lambda field: Collate(field, BY_CODE_POINT[connection.vendor]))
    rows = section.rows(user_id).order_by(*order).values_list(*section.fields)
    for row in rows.iterator(chunk_size=BATCH):
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
