"""Discogs credentials at rest: encrypted with the keys of CREDENTIAL_KEYS, together with the owner's id.

Only code that builds a client reads them. A ciphertext copied into another user's row is refused.
"""

import json
from contextlib import suppress
from typing import Any

from collections_app.discogs import oauth
from collections_app.discogs.client import Credentials
from collections_app.encryption import TextUnreadable, decrypt_text, encrypt_text
from collections_app.models import DiscogsConnection


class CredentialUnreadable(Exception):
    """The stored credential cannot be used: its key is missing, it was altered, or it is another user's."""


def seal(token: str, *, user_id: int) -> str:
    """Encrypt a personal access token for one user."""
    return _seal({"user": user_id, "token": token})


def seal_oauth(token: oauth.Token, *, user_id: int) -> str:
    """Encrypt an OAuth token and its secret for one user."""
    return _seal({"user": user_id, "token": token.key, "secret": token.secret})


def credentials_of(connection: DiscogsConnection) -> Credentials:
    """The credentials of a connection, for its client.

    Raises CredentialUnreadable; the stored ciphertext is unchanged then.
    """
    content = _opened(connection.credential, user_id=connection.user_id)
    if "secret" not in content:
        return Credentials.from_token(content["token"])
    if not oauth.is_offered():
        raise CredentialUnreadable(
            "The site no longer has the consumer key with which the credential was made."
        )
    return Credentials.from_oauth(oauth.Token(content["token"], content["secret"]))


def restore_readable() -> int:
    """Reactivate connections whose credential was unreadable and is readable now; return how many."""
    restored = 0
    for connection in DiscogsConnection.objects.filter(state=DiscogsConnection.State.UNREADABLE).iterator():
        with suppress(CredentialUnreadable):
            credentials_of(connection)
            restored += restore(connection)
    return restored


def restore(connection: DiscogsConnection) -> int:
    """Reactivate a connection whose credential was just read, unless it has changed meanwhile."""
    unreadable = DiscogsConnection.objects.filter(
        pk=connection.pk, state=DiscogsConnection.State.UNREADABLE, credential=connection.credential
    )
    return unreadable.update(state=DiscogsConnection.State.ACTIVE)


def is_usable(connection: DiscogsConnection) -> bool:
    """Whether requests may be sent for its owner; a connection whose credential is readable again is reactivated."""
    if connection.state == DiscogsConnection.State.UNREADABLE:
        with suppress(CredentialUnreadable):
            credentials_of(connection)
            restore(connection)
            return True
    return not connection.needs_reconnect


def open_oauth(ciphertext: str, *, user_id: int) -> oauth.Token:
    """Decrypt a token that `seal_oauth` encrypted. Raises CredentialUnreadable."""
    content = _opened(ciphertext, user_id=user_id)
    return oauth.Token(content["token"], content["secret"])


def _seal(content: dict[str, Any]) -> str:
    return encrypt_text(json.dumps(content))


def _opened(ciphertext: str, *, user_id: int) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(decrypt_text(ciphertext))
    except (TextUnreadable, ValueError):
        raise CredentialUnreadable("No key in CREDENTIAL_KEYS decrypts the stored credential.") from None
    if content.get("user") != user_id:
        raise CredentialUnreadable("The stored credential belongs to another user.")
    return content
