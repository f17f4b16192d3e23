"""Secret texts at rest."""

import pytest
from cryptography.fernet import Fernet

from collections_app.encryption import TextUnreadable, decrypt_text, encrypt_text


def test_text_is_sealed_and_opened_again():
    sealed = encrypt_text("sécret")
    assert "cret" not in sealed
    assert decrypt_text(sealed) == "sécret"


def test_new_first_key_opens_old_text(settings):
    sealed = encrypt_text("secret")
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode(), *settings.CREDENTIAL_KEYS]
    assert decrypt_text(sealed) == "secret"


def test_text_needs_its_key(settings):
    sealed = encrypt_text("secret")
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(TextUnreadable, match="CREDENTIAL_KEYS"):
        decrypt_text(sealed)
    with pytest.raises(TextUnreadable):
        decrypt_text("nothing that was ever sealed")
