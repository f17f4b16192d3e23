"""`python -m tests.benchmarks.seed USERNAME TOKEN FIRST COUNT`: make a connected user with COUNT releases.

The rows are written to the database directly: importing 20,000 copies would use 200 requests of the limit measured.
"""

import json
import os
import sys
from typing import Any

import django
from django.utils import timezone

GENRES = (
    "Rock",
    "Jazz",
    "Electronic",
    "Hip Hop",
    "Folk, World, & Country",
    "Funk / Soul",
    "Classical",
    "Reggae",
)
FORMATS = (
    "LP, Album",
    "LP, Album, Reissue",
    '12", Single',
    '7", Single',
    "CD, Album",
    "Cassette",
    "LP, Comp",
)


def facts(n: int) -> dict[str, Any]:
    return {
        "title": f"Title {n}", "artists": f"Artist {n % 1500}", "labels": f"Label {n % 400}",
        "catalog_number": f"CAT {n}", "genres": [GENRES[n % 8], GENRES[n // 8 % 8]][: 1 + n % 2],
        "format": FORMATS[n % 7], "year": 1950 + n * 7 % 75,
    }  # fmt: skip


def seed(username: str, token: str, *, first: int, count: int) -> None:
    from django.contrib.auth import get_user_model

    from collections_app.connections.credentials import seal
    from collections_app.models import CollectionInstance, DiscogsConnection, ImportPass, Release

    now = timezone.now()
    user = get_user_model().objects.create_user(username)
    connection = DiscogsConnection.objects.create(
        user=user,
        discogs_user_id=user.pk,
        discogs_username=f"{username}_at_discogs",
        credential=seal(token, user_id=user.pk),
        connected_at=now,
    )
    ids = range(first, first + count)
    Release.objects.bulk_create(
        (Release(discogs_id=n, **facts(n)) for n in ids),
        ignore_conflicts=True,
        batch_size=1000,
    )
    CollectionInstance.objects.bulk_create(
        (CollectionInstance(connection=connection, instance_id=n, release_id=n, added_at=now) for n in ids),
        batch_size=1000,
    )
    ImportPass.objects.create(
        connection=connection, state=ImportPass.State.COMPLETE, started_at=now, finished_at=now
    )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    _, name, secret, start, number = sys.argv
    seed(name, secret, first=int(start), count=int(number))
    sys.stdout.write(json.dumps({"seeded": int(number)}))
