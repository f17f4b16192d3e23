"""Secret texts at rest: encrypted with the keys of CREDENTIAL_KEYS. The first key encrypts, all of them decrypt."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class TextUnreadable(Exception):
    """A stored text cannot be opened: its key is missing, or it was altered. The ciphertext stays as it is."""


def encrypt_text(text: str) -> str:
    return _box().encrypt(text.encode()).decode()


def decrypt_text(sealed: str) -> str:
    """The text that `encrypt_text` sealed. Raises TextUnreadable."""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except (InvalidToken, ValueError):
        raise TextUnreadable("No key in CREDENTIAL_KEYS opens the stored text.") from None


def with_newest_key(sealed: str) -> str | None:
    """The same text under the first key; None when it is under it already. Raises TextUnreadable."""
    try:
        Fernet(settings.CREDENTIAL_KEYS[0]).decrypt(sealed.encode())
    except InvalidToken:
        return encrypt_text(decrypt_text(sealed))
    return None


def _box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.CREDENTIAL_KEYS])
