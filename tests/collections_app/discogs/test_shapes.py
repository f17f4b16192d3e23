"""Shapes of rows as recordings of other clients have them, of any year: all can be read. The contents are made up."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from collections_app.discogs.collection_payloads import (
    Rows,
    parse_copy_page,
    parse_fields,
    parse_folders,
    parse_want_page,
)

SHAPES = json.loads(Path(__file__).with_name("shapes.json").read_text())
PAGE = {"pagination": {"items": 1}}


def parsed(kind: str, row: Any) -> Rows[Any]:
    match kind:
        case "copy":
            return parse_copy_page({**PAGE, "releases": [row]}).copies
        case "want":
            return parse_want_page({**PAGE, "wants": [row]}).wants
        case "folder":
            return parse_folders({"folders": [row]})
    return parse_fields({"fields": [row]})


def plain(value: Any) -> Any:
    """The value as JSON has it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("case", SHAPES, ids=[case["shape"] for case in SHAPES])
def test_shape_is_read(case):
    rows = parsed(case["kind"], case["row"])
    assert rows.unread == ()
    read = asdict(rows.read[0])
    flat = {**read, **read.get("release", {})}
    assert {key: plain(flat[key]) for key in case["read"]} == case["read"]


def test_shapes_cover_every_kind_of_row():
    assert {case["kind"] for case in SHAPES} == {"copy", "want", "folder", "field"}
