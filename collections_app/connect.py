"""Linking a user to Discogs, and undoing it."""

import re
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from collections_app.credentials import seal
from collections_app.discogs import errors
from collections_app.discogs.client import Credentials, DiscogsClient
from collections_app.discogs.payloads import Identity
from collections_app.models import DiscogsConnection

# What Discogs hands out is 40 letters; be generous, but let nothing into a header that does not belong there.
TOKEN_SHAPE = re.compile(r"[A-Za-z0-9_.-]{8,200}")


class ConnectRefused(Exception):
    """The connection was not made. The text says what happened, what was kept and what to do."""


def connect_with_token(user: AbstractBaseUser | Any, token: str, *, now: datetime) -> DiscogsConnection:
    """Check a personal access token with Discogs and store it, encrypted. One request.

    Raises ConnectRefused; an existing connection is untouched then.
    """
    token = token.strip()
    if not TOKEN_SHAPE.fullmatch(token):
        raise ConnectRefused(
            "That does not look like a personal access token: it has letters and digits only. "
            "Copy it again from Discogs, Settings, Developers. Nothing was changed."
        )
    identity = _identity_of(token)
    with transaction.atomic():
        existing = DiscogsConnection.objects.select_for_update().filter(user_id=user.pk).first()
        if existing and existing.discogs_user_id != identity.discogs_id:
            raise ConnectRefused(
                f"This token belongs to {identity.username}, but you are connected as "
                f"{existing.discogs_username}. Nothing was changed. Disconnect first to use another account."
            )
        connection, _ = DiscogsConnection.objects.update_or_create(
            user_id=user.pk,
            defaults={
                "discogs_user_id": identity.discogs_id,
                "discogs_username": identity.username,
                "kind": DiscogsConnection.Kind.TOKEN,
                "state": DiscogsConnection.State.ACTIVE,
                "has_seller_settings": None,  # to be asked again
                "credential": seal(token, user_id=user.pk),
                "last_success_at": now,
            },
            create_defaults={
                "discogs_user_id": identity.discogs_id,
                "discogs_username": identity.username,
                "credential": seal(token, user_id=user.pk),
                "connected_at": now,
                "last_success_at": now,
            },
        )
    return connection


def disconnect(connection: DiscogsConnection) -> None:
    """Erase the credential and everything Discogs gave us about this user."""
    with transaction.atomic():
        connection.instances.all().delete()
        connection.delete()


def _identity_of(token: str) -> Identity:
    client = DiscogsClient(Credentials.from_token(token), interactive=True)
    try:
        return client.identity()
    except errors.CredentialsRejected:
        raise ConnectRefused(
            "Discogs does not accept this token. It may have been revoked or copied in part. "
            "Make a new one at Discogs, Settings, Developers, and paste it here. Nothing was changed."
        ) from None
    except errors.GateClosed as error:
        raise ConnectRefused(
            f"Discogs asks this site to wait. Try again in {max(1, round(error.wait_seconds))} seconds. "
            "Nothing was changed."
        ) from None
    except errors.DiscogsError:
        raise ConnectRefused(
            "Discogs could not be reached just now. Nothing was changed. Try again in a minute."
        ) from None
