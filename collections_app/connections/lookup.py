"""Queries of the pages about a connection and about preferences."""

from urllib.parse import quote

from collections_app.models import CollectionInstance, DiscogsConnection, Preferences


def connection_of(user_id: int) -> DiscogsConnection | None:
    return DiscogsConnection.objects.filter(user_id=user_id).first()


def connection_in_trouble(user_id: int) -> DiscogsConnection | None:
    """The user's connection, if it needs an action of its owner."""
    connections = DiscogsConnection.objects.filter(user_id=user_id).defer("credential")
    return connections.exclude(state=DiscogsConnection.State.ACTIVE).first()


def copies_held(user_id: int) -> int:
    return CollectionInstance.objects.of(user_id).held().count()


def collection_path(connection: DiscogsConnection | None) -> str:
    """The path of a user's collection below Discogs' web address; "" without a connection."""
    return f"/user/{quote(connection.discogs_username, safe='')}/collection" if connection else ""


def preferences_of(user_id: int) -> Preferences:
    """A user's preferences; the defaults, not stored, if none were chosen yet."""
    return Preferences.objects.filter(user_id=user_id).first() or Preferences(user_id=user_id)
