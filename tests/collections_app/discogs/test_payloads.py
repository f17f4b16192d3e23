from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.discogs.collection_payloads import join_artists, parse_copy_page
from collections_app.discogs.errors import BadPayload
from collections_app.discogs.json_values import MAX_TEXT, parse_json
from collections_app.discogs.payloads import Market, minor_units, parse_identity, parse_release_market

PRICED = (
    b'{"id": 5, "lowest_price": 8.415000000000001, "num_for_sale": 3, "community": {"want": 7, "have": 9}}'
)


def market(body: bytes) -> Market:
    return parse_release_market(parse_json(body), discogs_id=5)


def test_price_rounds_once_half_to_even():
    assert market(PRICED).amount_minor == 842
    assert [minor_units(Decimal(text), "USD") for text in ("8.405", "8.415", "8.4149")] == [840, 842, 841]
    assert minor_units(Decimal("1249.5"), "JPY") == 1250


def test_reading_keeps_absent_apart_from_zero():
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
def test_missing_price_is_a_state_not_an_amount(body, status):
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
        b'{"id": 5, "lowest_price": 0.004}',
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
def test_payloads_refuse_garbage(body):
    with pytest.raises(BadPayload):
        market(body)


@pytest.mark.parametrize(
    ("artists", "line"),
    [
        ([{"name": "Okto (2)", "anv": "", "join": ""}], "Okto"),
        ([{"name": "Okto", "anv": "DJ Okto", "join": "&"}, {"name": "Halden (14)"}], "DJ Okto & Halden"),
        ([{"name": "A", "join": ","}, {"name": "B", "join": ","}, {"name": "C"}], "A, B, C"),
        ([{"name": "A", "join": ""}, {"name": "B", "join": ","}], "A B"),
        ([{"name": "A", "join": "/"}, {"name": "B", "join": "feat."}], "A / B"),
        ([], ""),
    ],
)
def test_artists_are_joined_as_on_discogs(artists, line):
    assert join_artists(artists) == line


def facts(**changed):
    release = {"id": 5, "title": "T", "formats": [{"name": "LP", "qty": "2"}], **changed}
    row = {"id": 5, "instance_id": 1, "folder_id": 1, "date_added": "2024-01-01T00:00:00-08:00"}
    page = {"pagination": {"items": 1}, "releases": [{**row, "basic_information": release}]}
    return parse_copy_page(page).copies.read[0].release


@pytest.mark.parametrize(("quantity", "line"), [("2", "2 × LP"), ("1", "LP"), ("²", "LP"), ("", "LP")])
def test_quantity_above_one_is_read(quantity, line):
    assert facts(formats=[{"name": "LP", "qty": quantity}]).format == line


def test_lines_of_many_parts_are_bounded():
    many = [{"name": f"{n} " + "x" * 600, "catno": f"{n} " + "y" * 600} for n in range(10)]
    found = facts(artists=many, labels=many, formats=many)
    assert [len(found.artists), len(found.labels), len(found.catalog_number), len(found.format)] == (
        [MAX_TEXT] * 4
    )


@pytest.mark.parametrize(
    ("address", "is_kept"),
    [
        ("https://i.discogs.com/abc/rs:fit/g:sm/q:90/czM6Ly9k.jpeg", True),
        ("http://127.0.0.1:8001/covers/7.svg", True),
        ("http://localhost:8001/covers/7.svg", True),
        ("http://127.0.0.1:1@evil.example/7.svg", False),
        ("https://i.discogs.com@evil.example/7.svg", False),
        ("https://i.discogs.com\\\\@evil.example/7.svg", False),
        ("http://i.discogs.com/7.jpeg", False),
        ("https:///7.jpeg", False),
        ("https://i.discogs.com/a b.jpeg", False),
        ("javascript:alert(1)//https://i.discogs.com/", False),
    ],
)
def test_image_is_kept_if_its_address_is_safe(address, is_kept):
    assert (facts(thumb=address).thumb_url, facts(cover_image=address).cover_url) == (
        (address, address) if is_kept else ("", "")
    )


@pytest.mark.parametrize("username", ["", " ", "\x00", "x" * 256, None, 7])
def test_identity_without_a_name_is_refused(username):
    with pytest.raises(BadPayload):
        parse_identity({"id": 5, "username": username})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


@given(extra=st.dictionaries(st.sampled_from(["lowest_price", "num_for_sale", "community", "id"]), JSON))
def test_any_shape_is_a_reading_or_refused(extra):
    try:
        reading = parse_release_market({"id": 5, "lowest_price": None, **extra}, discogs_id=5)
    except BadPayload:
        return
    assert (reading.status == "priced") == (reading.amount_minor is not None)
    assert reading.amount_minor is None or reading.amount_minor >= 0


@given(row=JSON)
def test_any_row_without_ids_is_unread(row):
    copies = parse_copy_page({"pagination": {"items": 1, "pages": 1}, "releases": [row]}).copies
    assert (len(copies.read), len(copies.unread)) == (0, 1)
