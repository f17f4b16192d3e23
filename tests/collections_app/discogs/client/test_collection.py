"""The variants in which Discogs sends folders, fields, collections and wantlists, with invented contents."""

from datetime import UTC, datetime

import pytest

from collections_app.discogs import errors
from collections_app.discogs.collection_payloads import FieldPayload, FolderPayload
from tests.collections_app.discogs.client.conftest import ABSENT, PAYLOAD, changed_document

pytestmark = pytest.mark.django_db

HOME = "/users/crate_owner"
COLLECTION, WANTS = f"{HOME}/collection/folders/0/releases", f"{HOME}/wants"


def information(**changed):
    document = {
        "id": 7,
        "master_id": 0,
        "master_url": None,
        "resource_url": "https://api.discogs.com/releases/7",
        "thumb": "",
        "cover_image": "",
        "title": "Amber Almanac",
        "year": 0,
        "formats": [{"name": "Vinyl", "qty": "2", "text": "Gatefold", "descriptions": ["LP", "Album"]}],
        "labels": [{"name": "Isobar (3)", "catno": "none", "entity_type": "1", "id": 5, "resource_url": ""}],
        "artists": [{"name": "Delphine Oray (2)", "anv": "", "join": "", "role": "", "tracks": "", "id": 9}],
        "genres": ["Jazz"],
        "styles": [],
    }
    return changed_document(document, changed)


def row(**changed):
    document = {
        "id": 7,
        "instance_id": 500_000_001,
        "folder_id": 1,
        "rating": 0,
        "date_added": "2019-06-01T08:30:00-07:00",
        "basic_information": information(),
    }
    return changed_document(document, changed)


def page(rows, *, name="releases", **head):
    return {
        "pagination": {"page": 1, "pages": 1, "per_page": 100, "items": len(rows), "urls": {}} | head,
        name: rows,
    }


def test_folders_have_counts(discogs):
    rows = [
        {"id": 0, "name": "All", "count": 23, "resource_url": ""},
        {"id": 1, "name": "Uncategorized", "count": 0},
        {"id": 2, "name": "Jazz"},
    ]
    client = discogs.answers(f"{HOME}/collection/folders", json={"folders": rows})
    found = (
        FolderPayload(0, "All", 23),
        FolderPayload(1, "Uncategorized", 0),
        FolderPayload(2, "Jazz", None),
    )
    assert client.collection_folders("crate_owner").read == found


def test_fields_are_dropdowns_and_texts(discogs):
    rows = [
        {"id": 1, "name": "Media Condition", "type": "dropdown", "options": ["Mint (M)"], "public": True},
        {"id": 3, "name": "Notes", "type": "textarea", "lines": 3, "public": False},
    ]  # fmt: skip
    client = discogs.answers(f"{HOME}/collection/fields", json={"fields": rows})
    found = (FieldPayload(1, "Media Condition"), FieldPayload(3, "Notes"))
    assert client.collection_fields("crate_owner").read == found


@pytest.mark.parametrize(
    ("changed", "notes"),
    [
        ({}, {}),
        ({"notes": None}, {}),
        ({"notes": []}, {}),
        (
            {"notes": [{"field_id": 1, "value": "Mint (M)"}, {"field_id": 3, "value": ""}]},
            {1: "Mint (M)", 3: ""},
        ),
        ({"notes": [{"field_id": 3}]}, {3: ""}),
    ],
)
def test_collection_row_may_have_notes(discogs, changed, notes):
    client = discogs.answers(COLLECTION, json=page([row(**changed)]))
    (copy,) = client.collection_page("crate_owner", 1).copies.read
    assert (copy.instance_id, copy.folder_id, copy.rating) == (500_000_001, 1, 0)
    assert copy.added_at == datetime(2019, 6, 1, 15, 30, tzinfo=UTC)
    assert copy.notes == notes


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, {"year": None, "master_id": None, "thumb_url": "", "labels": "Isobar", "artists": "Delphine Oray"}),
        ({"year": 1974, "master_id": 50_001}, {"year": 1974, "master_id": 50_001}),
        ({"formats": [{"name": "File", "qty": "12"}]}, {"format": "12 × File"}),
        ({"formats": []}, {"format": ""}),
        ({"formats": ABSENT, "labels": ABSENT, "artists": ABSENT, "genres": ABSENT, "styles": ABSENT}, {"genres": ()}),
        ({"labels": [{"name": "Isobar", "catno": "IS 1"}, {"name": "Isobar", "catno": "IS-1"}]},
         {"labels": "Isobar", "catalog_number": "IS 1, IS-1"}),
        ({"thumb": None, "cover_image": "https://i.discogs.com/a.jpeg"},
         {"thumb_url": "", "cover_url": "https://i.discogs.com/a.jpeg"}),
        ({"thumb": "javascript:alert(1)", "cover_image": ABSENT}, {"thumb_url": "", "cover_url": ""}),
    ],
)  # fmt: skip
def test_basic_information_in_each_variant(discogs, changed, expected):
    document = page([row(basic_information=information(**changed))])
    client = discogs.answers(COLLECTION, json=document)
    facts = client.collection_page("crate_owner", 1).copies.read[0].release
    assert {name: getattr(facts, name) for name in expected} == expected


@pytest.mark.parametrize("document", [{"releases": []}, {"pagination": {"items": 0}}])
def test_collection_page_of_another_shape(discogs, refusal, document):
    refusal(errors.BadPayload, discogs.answers(COLLECTION, json=document).collection_page, "crate_owner", 1)


@pytest.mark.parametrize(
    "odd", [row(instance_id=ABSENT), row(basic_information=ABSENT), row(basic_information=None), None]
)
def test_row_of_another_shape_is_unread(discogs, odd):
    client = discogs.answers(COLLECTION, json=page([row(), odd]))
    copies = client.collection_page("crate_owner", 1).copies
    assert (len(copies.read), len(copies.unread)) == (1, 1)
    assert PAYLOAD not in copies.unread[0].reason


@pytest.mark.parametrize(
    ("changed", "field", "value"),
    [
        ({"date_added": "yesterday"}, "added_at", None),
        ({"date_added": "2019-06-01T08:30:00"}, "added_at", datetime(2019, 6, 1, 8, 30, tzinfo=UTC)),
        ({"notes": PAYLOAD}, "notes", {}),  # as in a wantlist
    ],
)
def test_odd_field_costs_only_itself(discogs, changed, field, value):
    client = discogs.answers(COLLECTION, json=page([row(**changed)]))
    (copy,) = client.collection_page("crate_owner", 1).copies.read
    assert getattr(copy, field) == value


@pytest.mark.parametrize(("notes", "text"), [("for trade", "for trade"), ("", ""), (None, ""), (ABSENT, "")])
def test_want_has_notes_as_text(discogs, notes, text):
    wants = page([row(notes=notes, instance_id=ABSENT, folder_id=ABSENT, rating=5)], name="wants", items=130)
    found = discogs.answers(WANTS, json=wants).wants_page("crate_owner", 1)
    assert (found.items, found.wants.read[0].notes, found.wants.read[0].rating) == (130, text, 5)


def test_page_past_the_last_is_not_found(discogs, refusal):
    message = {"message": f"Page 9 of {PAYLOAD} is outside of valid range."}
    refusal(errors.NotFound, discogs.answers(WANTS, status=404, json=message).wants_page, "crate_owner", 9)
