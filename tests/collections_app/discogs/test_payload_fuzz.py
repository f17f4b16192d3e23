"""Whatever Discogs sends is read as a value that keeps every promise, or refused as BadPayload. Nothing else."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_app.discogs.errors import BadPayload
from collections_app.discogs.json_values import parse_json
from collections_app.discogs.oauth import parse_token
from collections_app.discogs.payloads import MAX_AMOUNT
from collections_app.importing.paid import parse_paid
from tests.collections_app.discogs.payload_fuzz import (
    KEYS,
    KINDS,
    ODD_TEXTS,
    TEXTS,
    as_bytes,
    json_values,
    mutated,
)
from tests.collections_app.discogs.payload_promises import MAX_MINOR, check

ALL = {name: as_bytes(kind.document) for name, kind in KINDS.items()}


def read(name: str, body: bytes) -> Any:
    """What the parser of this name makes of a body, checked; None when it is refused."""
    try:
        value = KINDS[name].parse(parse_json(body))
    except BadPayload:
        return None
    check(value)
    return value


@pytest.mark.parametrize("name", KINDS)
def test_sandbox_payloads_are_read(name):
    assert read(name, ALL[name])


@settings(max_examples=2_000)
@given(document=json_values(sorted(KEYS)))
def test_any_json_is_read_or_refused(document):
    body = as_bytes(document)
    for name in KINDS:
        read(name, body)


def _fuzzed(name, examples):
    @settings(max_examples=examples)
    @given(body=mutated(KINDS[name]))
    def fuzz(body):
        read(name, body)

    return fuzz


@pytest.mark.parametrize(
    ("name", "examples"),
    [
        ("copies", 2_000),
        ("wants", 2_000),
        ("market", 2_000),
        ("stats", 1_000),
        ("suggestions", 1_000),
        ("range", 1_000),
        ("folders", 500),
        ("fields", 500),
        ("identity", 500),
    ],
)
def test_corrupted_document_is_read_or_refused(name, examples):
    _fuzzed(name, examples)()


@settings(max_examples=1_500)
@given(body=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body):
    with suppress(BadPayload):
        parse_json(body)
    with suppress(BadPayload):
        token = parse_token(body)
        assert 8 <= len(token.key) <= 200
        assert (token.key + token.secret).isascii()


@settings(max_examples=1_500)
@given(name=st.sampled_from(sorted(ALL)), share=st.floats(0, 1, exclude_max=True))
def test_truncated_document_is_refused(name, share):
    assert read(name, ALL[name][: int(len(ALL[name]) * share)]) is None


@settings(max_examples=500)
@given(name=st.sampled_from(sorted(ALL)), more=st.binary(min_size=1, max_size=4))
def test_document_with_a_tail_is_refused(name, more):
    assert bool(read(name, ALL[name] + more)) == (more.strip(b" \t\r\n") == b"")


@settings(max_examples=1_000)
@given(text=TEXTS | ODD_TEXTS.map(lambda text: f"€{text}") | st.from_regex(r"[$€£]?[0-9.,' ]{1,12}( EUR)?"))
def test_any_price_text_is_an_amount_or_none(text):
    paid = parse_paid(text)
    if paid is not None:
        assert 0 <= paid.minor <= MAX_AMOUNT * 100 <= MAX_MINOR
        assert paid.currency == "" or len(paid.currency) == 3
