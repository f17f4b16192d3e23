"""What the pages about a connection read."""

from urllib.parse import quote

from collections_app.models import CollectionInstance, DiscogsConnection


def connection_of(user_id: int) -> DiscogsConnection | None:
    return DiscogsConnection.objects.filter(user_id=user_id).first()


def copies_held(user_id: int) -> int:
    return CollectionInstance.objects.of(user_id).held().count()


def collection_path(connection: DiscogsConnection | None) -> str:
    """Where a user's collection stands at Discogs, below its web address."""
    return f"/user/{quote(connection.discogs_username, safe='')}/collection" if connection else ""
