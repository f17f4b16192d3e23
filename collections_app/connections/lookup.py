"""What the pages about a connection and about preferences read."""

from urllib.parse import quote

from collections_app.models import CollectionInstance, DiscogsConnection, Preferences


def connection_of(user_id: int) -> DiscogsConnection | None:
    return DiscogsConnection.objects.filter(user_id=user_id).first()


def connection_in_trouble(user_id: int) -> DiscogsConnection | None:
    """The user's connection, if its owner has to do something about it."""
    connections = DiscogsConnection.objects.filter(user_id=user_id).defer("credential")
    return connections.exclude(state=DiscogsConnection.State.ACTIVE).first()


def copies_held(user_id: int) -> int:
    return CollectionInstance.objects.of(user_id).held().count()


def collection_path(connection: DiscogsConnection | None) -> str:
    """Where a user's collection stands at Discogs, below its web address."""
    return f"/user/{quote(connection.discogs_username, safe='')}/collection" if connection else ""


def preferences_of(user_id: int) -> Preferences:
    """What a user has chosen; the defaults, not stored, when they have chosen nothing yet."""
    return Preferences.objects.filter(user_id=user_id).first() or Preferences(user_id=user_id)
