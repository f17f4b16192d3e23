"""Discogs credentials at rest: encrypted with the keys of CREDENTIAL_KEYS, the owner's id inside.

Only the code that builds a client reads them. A ciphertext copied into another user's row is refused.
"""

import json

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from collections_app.discogs.client import Credentials
from collections_app.models import DiscogsConnection


class CredentialUnreadable(Exception):
    """The stored credential cannot be used: its key is missing, it was altered, or it is someone else's."""


def seal(token: str, *, user_id: int) -> str:
    """Encrypt a personal access token for one user."""
    return _box().encrypt(json.dumps({"user": user_id, "token": token}).encode()).decode()


def credentials_of(connection: DiscogsConnection) -> Credentials:
    """The credentials of a connection, for its client.

    Raises CredentialUnreadable; the stored ciphertext stays as it is.
    """
    try:
        content = json.loads(_box().decrypt(connection.credential.encode()))
    except (InvalidToken, ValueError):
        raise CredentialUnreadable("No key in CREDENTIAL_KEYS opens the stored credential.") from None
    if content.get("user") != connection.user_id:
        raise CredentialUnreadable("The stored credential belongs to another user.")
    return Credentials.from_token(content["token"])


def _box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.CREDENTIAL_KEYS])
