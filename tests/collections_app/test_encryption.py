"""Secret texts at rest."""

import pytest
from cryptography.fernet import Fernet

from collections_app.encryption import TextUnreadable, decrypt_text, encrypt_text


def test_a_text_is_sealed_and_opened_again():
    sealed = encrypt_text("sécret")
    assert "cret" not in sealed
    assert decrypt_text(sealed) == "sécret"


def test_a_new_key_in_front_opens_what_the_old_one_sealed(settings):
    sealed = encrypt_text("secret")
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode(), *settings.CREDENTIAL_KEYS]
    assert decrypt_text(sealed) == "secret"


def test_without_its_key_a_text_stays_shut(settings):
    sealed = encrypt_text("secret")
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(TextUnreadable, match="CREDENTIAL_KEYS"):
        decrypt_text(sealed)
    with pytest.raises(TextUnreadable):
        decrypt_text("nothing that was ever sealed")
