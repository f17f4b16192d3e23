"""Another client and our import read the same account, and agree on every copy and every want."""

import re

import discogs_client
import pytest
from django.utils import timezone

from collections_app.connections.connect import connect_with_token
from collections_app.models import CollectionInstance, WantlistItem
from collections_app.sandbox.world.demo import DEMO_TOKEN
from tests.pricing.engine import import_all

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def them(generous_sandbox):
    """python3-discogs-client, as the owner of the account."""
    reader = discogs_client.Client("ReferenceClient/1.0 +https://example.org", user_token=DEMO_TOKEN)
    reader._base_url = generous_sandbox.url
    reader.backoff_enabled = False
    reader.set_timeout(connect=5, read=20)
    return reader.identity()


@pytest.fixture
def us(make_user, generous_sandbox):
    user = make_user()
    connect_with_token(user, DEMO_TOKEN, now=timezone.now())
    import_all(user)
    return user


def facts(basic: dict) -> tuple:
    """What both sides know of a release, from the raw row; artists without the number of their namesakes."""
    names = {re.sub(r" \(\d+\)$", "", artist["anv"] or artist["name"]) for artist in basic["artists"]}
    return (
        basic["id"],
        basic["title"].strip(),
        basic["year"] or None,
        names,
        basic["thumb"],
        basic["cover_image"],
    )


def test_every_copy_matches_the_reference(us, them):
    folders = {folder.id: folder.name for folder in them.collection_folders}
    ours = {
        copy.instance_id: copy
        for copy in CollectionInstance.objects.of(us.pk).held().select_related("release", "folder")
    }
    releases = them.collection_folders[0].releases
    releases.per_page = 100
    theirs = list(releases)
    assert len(theirs) == len(ours) == 400
    for row in theirs:
        copy = ours.pop(row.instance_id)
        notes = {note["field_id"]: note["value"].strip() for note in row.data.get("notes", ())}
        assert (copy.release_id, copy.rating, copy.added_at) == (row.id, row.rating, row.date_added)
        assert copy.folder.name == folders[row.folder_id]
        assert (copy.media_condition, copy.sleeve_condition) == (notes.get(1, ""), notes.get(2, ""))
        assert (copy.notes, copy.custom_fields.get("Paid", "")) == (notes.get(3, ""), notes.get(4, ""))
        number, title, year, artists, thumb, cover = facts(row.data["basic_information"])
        release = copy.release
        assert (release.pk, release.title, release.year) == (number, title, year)
        assert (release.thumb_url, release.cover_url) == (thumb, cover)
        assert all(artist in release.artists for artist in artists)
    assert not ours


def test_every_want_matches_the_reference(us, them):
    ours = {want.release_id: want for want in WantlistItem.objects.filter(connection__user=us)}
    theirs = list(them.wantlist)
    assert len(theirs) == len(ours) == 60
    for row in theirs:
        want = ours.pop(row.id)
        assert (want.rating, want.notes) == (row.rating, row.notes)
    assert not ours
