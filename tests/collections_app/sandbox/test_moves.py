"""What happens to users of the sandbox Discogs: copies edited, wants changed, names changed; and what it shows then."""

from collections.abc import Iterator
from typing import Any

import pytest

from collections_app.sandbox.server import SandboxServer
from tests.collections_app.sandbox.sandbox_client import DEMO, Api

ANN = "Discogs token=of-ann"


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer(limit=100_000) as running:
        running.add_user(
            "ann",
            "of-ann",
            release_ids=[7, 8, 9],
            wants=[21, 22],
            folders=["Jazz"],
            fields=["Paid", "Shop"],
            notes=[{1: "Mint (M)", 4: "€12.50"}, {}, None],
        )
        yield running


def rows(api: Api, auth: str = ANN, username: str = "ann") -> dict[int, Any]:
    """By release."""
    path = f"/users/{username}/collection/folders/0/releases"
    return {row["id"]: row for row in api.get(path, auth=auth).json()["releases"]}


def notes(row: Any) -> dict[int, str]:
    return {note["field_id"]: note["value"] for note in row.get("notes", ())}


def test_owner_sees_every_field(api: Api) -> None:
    fields = api.get("/users/ann/collection/fields", auth=ANN).json()["fields"]

    assert [(one["id"], one["name"], one["position"], one["public"]) for one in fields] == [
        (1, "Media Condition", 1, True),
        (2, "Sleeve Condition", 2, True),
        (3, "Notes", 3, False),
        (4, "Paid", 4, False),
        (5, "Shop", 5, False),
    ]
    assert [one["type"] for one in fields] == ["dropdown"] * 2 + ["textarea"] * 3
    assert "Near Mint (NM or M-)" in fields[0]["options"]
    assert {"Generic", "Not Graded", "No Cover"} < set(fields[1]["options"])
    assert all("options" not in one for one in fields[2:])


def test_others_see_public_fields_only(api: Api) -> None:
    fields = api.get("/users/ann/collection/fields", auth=DEMO).json()["fields"]

    assert [one["id"] for one in fields] == [1, 2]
    assert 4 not in notes(rows(api, auth=DEMO)[7])


def test_notes_are_set_per_copy(api: Api, server: SandboxServer) -> None:
    found = rows(api)
    third = server.world.users["ann"].copies[2]
    drawn = server.add_user("ann", release_ids=[7, 8, 9], folders=["Jazz"]).copies

    assert notes(found[7]) == {1: "Mint (M)", 4: "€12.50"}
    assert "notes" not in found[8]
    assert third == drawn[2]


def test_edited_copy_keeps_its_number(api: Api, server: SandboxServer) -> None:
    before = rows(api)[7]
    server.world.edit_copy(
        "ann", before["instance_id"], folder_id=2, rating=5, notes={1: "Good (G)", 4: "", 5: "Flea market"}
    )
    after = rows(api)[7]

    assert notes(after) == {1: "Good (G)", 5: "Flea market"}
    assert (after["folder_id"], after["rating"]) == (2, 5)
    assert {key: after[key] for key in ("instance_id", "date_added", "basic_information")} == {
        key: before[key] for key in ("instance_id", "date_added", "basic_information")
    }
    assert api.get("/users/ann/collection/folders/2", auth=ANN).json()["count"] >= 1


@pytest.mark.parametrize("change", [{"folder_id": 9}, {"notes": {9: "x"}}])
def test_copy_accepts_known_folders_and_fields(
    api: Api, server: SandboxServer, change: dict[str, Any]
) -> None:
    number = rows(api)[7]["instance_id"]
    with pytest.raises(KeyError):
        server.world.edit_copy("ann", number, **change)
    with pytest.raises(KeyError):
        server.world.edit_copy("ann", 5, rating=1)


def test_copy_added_again_is_a_new_one(api: Api, server: SandboxServer) -> None:
    first = rows(api)[7]["instance_id"]
    server.world.remove_copies("ann", [first])
    server.world.add_copies("ann", [7])

    assert rows(api)[7]["instance_id"] > max(row["instance_id"] for n, row in rows(api).items() if n != 7)


def test_wantlist_is_replaced_keeping_the_rest(api: Api, server: SandboxServer) -> None:
    def wants() -> dict[int, Any]:
        return {want["id"]: want for want in api.get("/users/ann/wants", auth=ANN).json()["wants"]}

    before = wants()
    server.world.set_wants("ann", [22, 23, 23])
    after = wants()

    assert set(before) == {21, 22}
    assert set(after) == {22, 23}
    assert after[22] == before[22]
    assert after[22]["resource_url"].endswith("/users/ann/wants/22")
    server.world.set_wants("ann", [])
    assert wants() == {}


def test_wantlist_is_paged(api: Api, server: SandboxServer) -> None:
    server.world.set_wants("ann", range(100, 205))
    pages = [api.get(f"/users/ann/wants?page={n}&per_page=500", auth=ANN).json() for n in (1, 2)]

    assert [len(page["wants"]) for page in pages] == [100, 5]
    assert pages[0]["pagination"]["items"] == 105
    assert set(pages[0]["wants"][0]) >= {"id", "date_added", "rating", "notes", "basic_information"}
    assert api.get("/users/ann/wants?page=3&per_page=100", auth=ANN).status_code == 404


def test_renamed_user_keeps_collection_and_token(api: Api, server: SandboxServer) -> None:
    before, shelf = api.get("/oauth/identity", auth=ANN).json(), rows(api)
    server.world.rename_user("ann", "bea")
    after = api.get("/oauth/identity", auth=ANN).json()

    assert (after["id"], after["username"]) == (before["id"], "bea")
    assert api.get("/users/ann", auth=ANN).status_code == 404
    assert rows(api, username="bea").keys() == shelf.keys()
    assert [row["instance_id"] for row in rows(api, username="bea").values()] == [
        row["instance_id"] for row in shelf.values()
    ]
    server.world.add_copies("bea", [30])
    assert len({row["instance_id"] for row in rows(api, username="bea").values()}) == 4


def test_old_name_taken_is_another_user(api: Api, server: SandboxServer) -> None:
    server.world.rename_user("ann", "bea")
    taker = server.add_user("ann", "of-another", release_ids=[7])
    mine = server.world.users["bea"]

    assert taker.id != mine.id
    assert not {copy.instance_id for copy in taker.copies} & {copy.instance_id for copy in mine.copies}
    assert api.get("/users/ann/collection/value", auth=ANN).status_code == 403
    with pytest.raises(ValueError, match="taken"):
        server.world.rename_user("bea", "ann")


def test_collection_is_hidden_and_shown_again(api: Api, server: SandboxServer) -> None:
    seen = []
    for private in (True, False):
        server.world.set_private("ann", private)
        seen.append([api.get("/users/ann/wants", auth=auth).status_code for auth in (ANN, DEMO)])

    assert seen == [[200, 403], [200, 200]]


def test_users_are_edited_from_another_process(api: Api) -> None:
    first = rows(api)[7]["instance_id"]
    edits = [{"instance_id": first, "rating": 4, "notes": {"1": "Fair (F)"}}]
    api.control("users", {"username": "ann", "edit_copies": edits, "set_wants": [5]})
    user = api.control("users", {"username": "ann", "rename": "bea"})

    assert (user["username"], user["token"]) == ("bea", "of-ann")
    row = rows(api, username="bea")[7]
    assert (row["rating"], notes(row)[1]) == (4, "Fair (F)")
    assert api.get("/users/bea/wants", auth=ANN).json()["pagination"]["items"] == 1
