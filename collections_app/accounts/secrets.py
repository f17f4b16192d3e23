"""Re-encrypt the stored secrets of two-factor login."""

from typing import NamedTuple

from allauth.mfa.models import Authenticator
from django.db import transaction

from collections_app.encryption import TextUnreadable, with_newest_key

SEALED = ("secret", "seed")  # of an app, of recovery codes


class Renewal(NamedTuple):
    """How many authenticators exist, how many were re-encrypted, and the ids of those that could not be read."""

    total: int
    renewed: int
    unreadable: list[int]


def reencrypt_secrets() -> Renewal:
    """Encrypt every secret with the first key of CREDENTIAL_KEYS. One that no key decrypts is left unchanged."""
    ids = list(Authenticator.objects.order_by("pk").values_list("pk", flat=True))
    renewed, unreadable = 0, []
    for pk in ids:
        try:
            renewed += _renew(pk)
        except TextUnreadable:
            unreadable.append(pk)
    return Renewal(len(ids), renewed, unreadable)


def _renew(pk: int) -> bool:
    with transaction.atomic():
        # Locked, since using a recovery code writes to the same field.
        row = Authenticator.objects.select_for_update().filter(pk=pk).first()
        if row is None:
            return False
        fresh = {name: with_newest_key(row.data[name]) for name in SEALED if name in row.data}
        changed = {name: sealed for name, sealed in fresh.items() if sealed}
        if changed:
            row.data = {**row.data, **changed}
            row.save(update_fields=["data"])
    return bool(changed)
