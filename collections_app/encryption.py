"""Encryption of stored secrets with the keys of CREDENTIAL_KEYS: the first key encrypts, all of them decrypt."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class TextUnreadable(Exception):
    """A stored text cannot be decrypted: its key is missing, or it was altered. The ciphertext is unchanged."""


def encrypt_text(text: str) -> str:
    return _cipher().encrypt(text.encode()).decode()


def decrypt_text(ciphertext: str) -> str:
    """Decrypt a text that `encrypt_text` encrypted. Raises TextUnreadable."""
    try:
        return _cipher().decrypt(ciphertext.encode()).decode()
    except (InvalidToken, ValueError):
        raise TextUnreadable("No key in CREDENTIAL_KEYS decrypts the stored text.") from None


def with_newest_key(ciphertext: str) -> str | None:
    """Re-encrypt a text with the first key; None if it already is. Raises TextUnreadable."""
    try:
        Fernet(settings.CREDENTIAL_KEYS[0]).decrypt(ciphertext.encode())
    except InvalidToken:
        return encrypt_text(decrypt_text(ciphertext))
    return None


def _cipher() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.CREDENTIAL_KEYS])
