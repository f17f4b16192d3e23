import pytest
import requests
from cryptography.fernet import Fernet

from collections_app.connections.credentials import CredentialUnreadable, credentials_of, seal
from collections_app.discogs.client import Credentials
from collections_app.models import DiscogsConnection


def connection(user_id: int, ciphertext: str) -> DiscogsConnection:
    return DiscogsConnection(user_id=user_id, credential=ciphertext)


def header(credentials: Credentials) -> str:
    """What the credentials put into a request."""
    request = requests.Request("GET", "https://api.discogs.com/", auth=credentials.auth).prepare()
    return str(request.headers["Authorization"])


def test_sealed_token_opens_for_its_owner_only():
    ciphertext = seal("secret-token", user_id=7)
    assert "secret-token" not in ciphertext
    assert header(credentials_of(connection(7, ciphertext))) == "Discogs token=secret-token"


def test_ciphertext_of_another_row_is_refused():
    with pytest.raises(CredentialUnreadable):
        credentials_of(connection(8, seal("secret-token", user_id=7)))


def test_new_first_key_still_reads_old_ciphertext(settings):
    ciphertext = seal("secret-token", user_id=7)
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode(), *settings.CREDENTIAL_KEYS]
    assert header(credentials_of(connection(7, ciphertext))).endswith("secret-token")


@pytest.mark.parametrize("ciphertext", ["", "garbage", "gAAAAA=="])
def test_altered_ciphertext_is_refused(ciphertext):
    with pytest.raises(CredentialUnreadable):
        credentials_of(connection(7, ciphertext))


def test_missing_key_differs_from_no_credential(settings):
    ciphertext = seal("secret-token", user_id=7)
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CredentialUnreadable, match="CREDENTIAL_KEYS"):
        credentials_of(connection(7, ciphertext))
