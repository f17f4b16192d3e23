from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.discogs.errors import BadPayload
from collections_app.discogs.payloads import (
    Market,
    join_artists,
    minor_units,
    parse_instance_page,
    parse_release_market,
)
from collections_app.discogs.shapes import parse_json

PRICED = (
    b'{"id": 5, "lowest_price": 8.415000000000001, "num_for_sale": 3, "community": {"want": 7, "have": 9}}'
)


def market(body: bytes) -> Market:
    return parse_release_market(parse_json(body), discogs_id=5)


def test_a_noisy_price_is_rounded_once_half_to_even():
    assert market(PRICED).amount_minor == 842
    assert [minor_units(Decimal(text), "USD") for text in ("8.405", "8.415", "8.4149")] == [840, 842, 841]
    assert minor_units(Decimal("1249.5"), "JPY") == 1250


def test_a_reading_keeps_what_is_absent_apart_from_zero():
    reading = market(PRICED)
    assert (reading.want, reading.have, reading.rating_count) == (7, 9, None)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"id": 5, "lowest_price": null, "num_for_sale": 0}', "none_for_sale"),
        (b'{"id": 5, "lowest_price": null, "num_for_sale": null}', "none_for_sale"),
        (b'{"id": 5, "lowest_price": null, "num_for_sale": null, "blocked_from_sale": true}', "blocked"),
        (b'{"id": 5, "lowest_price": 3, "num_for_sale": 2, "blocked_from_sale": true}', "blocked"),
    ],
)
def test_no_price_is_a_state_and_never_an_amount(body, status):
    reading = market(body)
    assert (reading.status, reading.amount_minor, reading.currency) == (status, None, "")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"id": 5, "lowest_price": 8.4',
        b"[]",
        b'"text"',
        b'{"id": 6, "lowest_price": 1}',
        b'{"id": 5, "lowest_price": "8.40"}',
        b'{"id": 5, "lowest_price": true}',
        b'{"id": 5, "lowest_price": NaN}',
        b'{"id": 5, "lowest_price": Infinity}',
        b'{"id": 5, "lowest_price": 1e400}',
        b'{"id": 5, "lowest_price": -5}',
        b'{"id": 5, "lowest_price": 0}',
        b'{"id": 5, "lowest_price": 1000000000000}',
        b'{"id": 5, "lowest_price": ' + b"9" * 5000 + b"}",
        b'{"id": 5, "lowest_price": 1, "num_for_sale": -1}',
        b'{"id": 5, "lowest_price": 1, "num_for_sale": 1.5}',
        b'{"id": 5, "lowest_price": 1, "community": []}',
        b'{"id": 5, "lowest_price": 1, "community": {"want": "many"}}',
        b"[" * 100_000,
        b"\xff\xfe\x00",
    ],
)
def test_garbage_is_refused(body):
    with pytest.raises(BadPayload):
        market(body)


@pytest.mark.parametrize(
    ("artists", "line"),
    [
        ([{"name": "Okto (2)", "anv": "", "join": ""}], "Okto"),
        ([{"name": "Okto", "anv": "DJ Okto", "join": "&"}, {"name": "Halden (14)"}], "DJ Okto & Halden"),
        ([{"name": "A", "join": ","}, {"name": "B", "join": ","}, {"name": "C"}], "A, B, C"),
        ([], ""),
    ],
)
def test_artists_are_joined_as_discogs_writes_them(artists, line):
    assert join_artists(artists) == line


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


@given(extra=st.dictionaries(st.sampled_from(["lowest_price", "num_for_sale", "community", "id"]), JSON))
def test_any_shape_is_either_a_valid_reading_or_refused(extra):
    try:
        reading = parse_release_market({"id": 5, "lowest_price": None, **extra}, discogs_id=5)
    except BadPayload:
        return
    assert (reading.status == "priced") == (reading.amount_minor is not None)
    assert reading.amount_minor is None or reading.amount_minor >= 0


@given(row=JSON)
def test_any_collection_row_is_either_read_or_refused(row):
    try:
        parse_instance_page({"pagination": {"items": 1, "pages": 1}, "releases": [row]})
    except BadPayload:
        return
    pytest.fail("a row without ids was accepted")
