"""Rows that other programs, old accounts or users have left odd: each is read alone, and costs nothing but itself."""

from datetime import UTC, datetime

import pytest
import responses

from collections_app.models import CollectionField, CollectionInstance, Folder, ImportPass, WantlistItem
from tests.collections_app.importing.account import Account, row

pytestmark = pytest.mark.django_db
ODD = 9001
Complete = ImportPass.State.COMPLETE


@pytest.fixture
def account(make_user, settings):
    settings.DISCOGS_RATE_LIMIT = settings.PRICE_WORKER_RATE_LIMIT = 100_000
    settings.DISCOGS_RATE_WINDOW = 0.1
    with responses.mock:
        yield Account(make_user(), copies=[row(number) for number in range(1, 6)])


def held(account):
    return CollectionInstance.objects.of(account.user.pk).held()


HARMLESS = [
    ("title null", {"facts": {"title": None}}, {"release__title": "(no title)"}),
    ("title missing", {"facts": {"title": ...}}, {"release__title": "(no title)"}),
    ("title a number", {"facts": {"title": 1999}}, {"release__title": "1999"}),
    ("year text", {"facts": {"year": "1987"}}, {"release__year": 1987}),
    ("year prose", {"facts": {"year": "ca. 1987"}}, {"release__year": None}),
    ("year a fraction", {"facts": {"year": 1987.0}}, {"release__year": 1987}),
    ("year null", {"facts": {"year": None}}, {"release__year": None}),
    ("year negative", {"facts": {"year": -1}}, {"release__year": None}),
    (
        "quantity a number",
        {"facts": {"formats": [{"name": "Vinyl", "qty": 2, "descriptions": ["LP"]}]}},
        {"release__format": "2 × Vinyl, LP"},
    ),
    (
        "description null",
        {"facts": {"formats": [{"name": "Vinyl", "qty": "1", "descriptions": [None, "LP"]}]}},
        {"release__format": "Vinyl, LP"},
    ),
    (
        "descriptions null",
        {"facts": {"formats": [{"name": "CD", "qty": None, "descriptions": None}]}},
        {"release__format": "CD"},
    ),
    ("format null", {"facts": {"formats": [None, {}, {"name": "CD"}]}}, {"release__format": "CD"}),
    ("formats an object", {"facts": {"formats": {"name": "CD"}}}, {"release__format": ""}),
    ("genre null", {"facts": {"genres": ["Rock", None]}}, {"release__genres": ["Rock"]}),
    ("genres null", {"facts": {"genres": None}}, {"release__genres": []}),
    ("styles a text", {"facts": {"styles": "Dub"}}, {"release__styles": []}),
    (
        "label null",
        {"facts": {"labels": [None, {"name": None, "catno": 7}]}},
        {"release__catalog_number": "7"},
    ),
    ("artist null", {"facts": {"artists": [None, {"name": None}]}}, {"release__artists": ""}),
    ("thumb a number", {"facts": {"thumb": 3, "cover_image": None}}, {"release__thumb_url": ""}),
    ("master text", {"facts": {"master_id": "12"}}, {"release__master_id": 12}),
    ("release id text", {"facts": {"id": "9001"}}, {"release_id": ODD}),
    ("release id only outside", {"facts": {"id": ...}}, {"release_id": ODD}),
    ("instance id text", {"instance_id": "1009001"}, {"instance_id": 1_009_001}),
    ("rating text", {"rating": "4"}, {"rating": 4}),
    ("rating null", {"rating": None}, {"rating": 0}),
    ("rating 9", {"rating": 9}, {"rating": 5}),
    ("note a number", {"notes": [{"field_id": 3, "value": 12.5}]}, {"notes": "12.5"}),
    ("note null", {"notes": [None, {"field_id": 3, "value": None}]}, {"notes": ""}),
    ("note without field", {"notes": [{"value": "x"}, {"field_id": "3", "value": "y"}]}, {"notes": "y"}),
    ("notes a text", {"notes": "clean"}, {"notes": ""}),
    ("folder missing", {"folder_id": ...}, {"folder": None}),
    ("folder null", {"folder_id": None}, {"folder": None}),
    ("folder text", {"folder_id": "1"}, {"folder__name": "Uncategorized"}),
]


@pytest.mark.parametrize(
    ("changed", "expected"), [case[1:] for case in HARMLESS], ids=[c[0] for c in HARMLESS]
)
def test_harmless_oddity_is_read(account, changed, expected):
    account.copies.insert(2, row(ODD, **changed))
    done = account.read_once()
    assert (done.state, done.unread_count, done.instances_consistent) == (Complete, 0, True)
    assert held(account).count() == 6
    assert held(account).filter(instance_id=1_000_000 + ODD).values(*expected).get() == expected


UNKNOWN_DATES = [
    None,
    ...,
    "",
    "yesterday",
    "1969-12-31T16:00:00-08:00",
    "0000-00-00",
    0,
    "9999-01-01T00:00:00Z",
]


@pytest.mark.parametrize("date", UNKNOWN_DATES, ids=str)
def test_copy_without_date_counts_from_reading(account, date):
    account.copies.append(row(ODD, date_added=date))
    first = account.read_once()
    assert first.unread_count == 0
    assert held(account).get(release=ODD).added_at == first.started_at
    account.read_once()
    assert held(account).get(release=ODD).added_at == first.started_at


def test_known_date_stays_when_it_vanishes(account):
    account.read_once()
    account.copies[0]["date_added"] = None
    account.read_once()
    assert held(account).get(release=1).added_at == datetime(2018, 5, 4, 17, tzinfo=UTC)


def test_date_without_offset_is_utc(account):
    account.copies.append(row(ODD, date_added="2018-05-04T10:00:00"))
    account.read_once()
    assert held(account).get(release=ODD).added_at == datetime(2018, 5, 4, 10, tzinfo=UTC)


UNREADABLE = [
    ("null", None),
    ("a text", "row"),
    ("a list", [1]),
    ("empty", {}),
    ("no instance id", row(ODD, instance_id=...)),
    ("instance id null", row(ODD, instance_id=None)),
    ("instance id negative", row(ODD, instance_id=-1)),
    ("no facts", row(ODD, basic_information=...)),
    ("facts null", row(ODD, basic_information=None)),
    ("facts a list", row(ODD, basic_information=[])),
    ("no release id", row(ODD, id=..., facts={"id": ...})),
    ("release id a fraction", row(ODD, id=1.5, facts={"id": 1.5})),
]


@pytest.mark.parametrize("odd", [case[1] for case in UNREADABLE], ids=[case[0] for case in UNREADABLE])
def test_unreadable_row_costs_only_itself(account, odd):
    account.copies.insert(2, odd)
    done = account.read_once()
    assert (done.state, done.unread_count) == (Complete, 1)
    assert done.unread[0]["what"] == "copy"
    assert done.unread[0]["reason"].startswith("Discogs sent no ")
    assert held(account).count() == 5


def test_unread_row_is_named(account):
    account.copies.append(row(ODD, instance_id=None))
    assert account.read_once().unread == [
        {
            "what": "copy",
            "release_id": ODD,
            "instance_id": None,
            "title": f"Record {ODD}",
            "reason": "Discogs sent no usable number for this copy.",
        }
    ]


def test_unread_row_is_not_a_removal(account):
    account.read_once()
    account.copies[0]["basic_information"] = None
    done = account.read_once()
    assert (done.unread_count, done.unconfirmed_copies, held(account).count()) == (1, 0, 5)


def test_removal_beside_an_unread_row_counts(account):
    account.read_once()
    account.copies[0]["basic_information"] = None
    del account.copies[4]
    account.read_once()
    assert set(held(account).values_list("release_id", flat=True)) == {1, 2, 3, 4}


def test_row_without_id_forbids_removals(account):
    account.read_once()
    account.copies[0]["instance_id"] = None
    done = account.read_once()
    assert (done.instances_consistent, done.unconfirmed_copies, held(account).count()) == (False, 1, 5)
    assert account.second_pass() is None


def test_row_that_becomes_readable_is_stored(account):
    account.copies.append(row(ODD, basic_information=None))
    account.read_once()
    account.copies[-1] = row(ODD)
    assert account.read_once().unread_count == 0
    assert held(account).filter(release=ODD).exists()


def test_page_full_of_odd_rows_ends(account):
    account.copies[:] = [row(number, basic_information=None) for number in range(1, 251)]
    done = account.read_once()
    assert (done.state, done.unread_count, len(done.unread)) == (Complete, 250, 100)


def test_odd_want_costs_only_itself(account):
    account.wants[:] = [row(20), row(21, facts={"title": None}), row(22, basic_information=None), None]
    done = account.read_once()
    assert (done.state, done.unread_count) == (Complete, 2)
    assert [entry["what"] for entry in done.unread] == ["want", "want"]
    assert set(WantlistItem.objects.values_list("release_id", flat=True)) == {20, 21}


def test_unread_want_is_not_a_removal(account):
    account.wants[:] = [row(20), row(21)]
    account.read_once()
    account.wants[1]["basic_information"] = None
    account.read_once()
    assert set(WantlistItem.objects.values_list("release_id", flat=True)) == {20, 21}


def test_odd_folder_costs_only_itself(account):
    account.folders[:] = [{"id": 1, "name": None, "count": "many"}, {"name": "No id"}, None]
    done = account.read_once()
    assert (done.state, done.unread_count) == (Complete, 2)
    assert set(Folder.objects.values_list("name", flat=True)) == {"All", "Folder 1"}


def test_unread_folder_is_not_a_removal(account):
    account.folders.append({"id": 5, "name": "Jazz", "count": 0})
    account.read_once()
    account.folders[1]["id"] = None
    account.read_once()
    assert Folder.objects.filter(name="Jazz").exists()


def test_unread_field_is_not_a_removal(account):
    account.fields[:] = [{"id": 3, "name": "Notes"}, {"id": 9, "name": "Shop"}]
    account.read_once()
    account.fields[:] = [{"id": 3, "name": "Notes"}, {"name": "Shop"}, 7]
    done = account.read_once()
    assert done.unread_count == 2
    assert set(CollectionField.objects.values_list("name", flat=True)) == {"Notes", "Shop"}
