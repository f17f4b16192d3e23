"""An independent client of the Discogs API reads the sandbox and agrees with its world."""

from collections.abc import Iterator
from datetime import datetime

import discogs_client
import pytest

from collections_app.sandbox.server import SandboxServer


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(limit=10_000) as running:
        yield running


@pytest.fixture
def client(server: SandboxServer) -> discogs_client.Client:
    reader = discogs_client.Client(
        "ReferenceClient/1.0 +https://example.org", user_token="sandbox-demo-token"
    )
    reader._base_url = server.url
    reader.backoff_enabled = False
    reader.set_timeout(connect=5, read=20)
    return reader


def test_client_reads_the_identity(client: discogs_client.Client) -> None:
    me = client.identity()

    assert (me.id, me.username, me.num_collection) == (1_000_001, "crate_demo", 400)


def test_client_reads_the_folders(client: discogs_client.Client, server: SandboxServer) -> None:
    user = server.world.users["crate_demo"]
    counts = user.folder_counts()
    found = [(folder.id, folder.name, folder.count) for folder in client.identity().collection_folders]

    assert found == [(0, "All", 400)] + [(n, name, counts[n]) for n, name in user.folders.items()]


def test_client_reads_every_instance(client: discogs_client.Client, server: SandboxServer) -> None:
    copies = {copy.instance_id: copy for copy in server.world.users["crate_demo"].copies}
    releases = client.identity().collection_folders[0].releases
    releases.per_page = 100
    rows = list(releases)

    assert len(rows) == len(copies) == 400
    for row in rows:
        copy = copies.pop(row.instance_id)
        facts = server.world.release(copy.release_id)
        assert (row.id, row.folder_id, row.rating) == (copy.release_id, copy.folder_id, copy.rating)
        assert row.date_added == copy.date_added
        assert {note["field_id"]: note["value"] for note in row.data.get("notes", ())} == copy.notes
        assert (row.data["basic_information"]["title"], row.data["basic_information"]["year"]) == (
            facts.title,
            facts.year,
        )
    assert not copies


def test_client_reads_each_folder(client: discogs_client.Client) -> None:
    for folder in client.identity().collection_folders[1:]:
        rows = list(folder.releases)
        assert len(rows) == folder.count
        assert {row.folder_id for row in rows} == {folder.id}


def test_client_reads_the_wantlist(client: discogs_client.Client, server: SandboxServer) -> None:
    wants = {want.release_id: want for want in server.world.users["crate_demo"].wants}
    rows = list(client.identity().wantlist)

    assert {row.id for row in rows} == set(wants)
    assert all(row.notes == wants[row.id].notes for row in rows)
    assert all(isinstance(wants[row.id].date_added, datetime) for row in rows)


def test_client_reads_a_release_and_its_market(client: discogs_client.Client, server: SandboxServer) -> None:
    market = server.world.market(7, server.today())
    release = client.release(7)

    assert release.title == server.world.release(7).title
    assert (release.community.have, release.community.want) == (market.have, market.want)
    assert release.marketplace_stats.num_for_sale == market.num_for_sale
    assert [track.title for track in release.tracklist] == [
        track.title for track in server.world.release(7).tracklist
    ]
    assert release.price_suggestions.mint.currency == "EUR"
