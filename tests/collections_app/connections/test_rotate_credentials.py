"""manage.py rotate_credentials: everything under the newest key, and nothing lost on the way."""

import io

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from collections_app.connections.credentials import credentials_of, seal, seal_oauth
from collections_app.discogs.oauth import Token
from collections_app.models import DiscogsConnection
from tests import factories as make
from tests.accounts import stored_secret

pytestmark = pytest.mark.django_db


def rotate() -> str:
    out = io.StringIO()
    call_command("rotate_credentials", stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture
def connections():
    rows = [make.make_connection(f"user{number}") for number in range(3)]
    for row in rows:
        row.credential = seal(f"token-of-{row.pk}", user_id=row.user_id)
        row.save()
    return rows


@pytest.fixture
def new_key(settings):
    key = Fernet.generate_key().decode()
    settings.CREDENTIAL_KEYS = [key, *settings.CREDENTIAL_KEYS]
    return key


def test_old_key_can_be_removed_afterwards(connections, new_key, settings):
    assert "3 of 3" in rotate()
    settings.CREDENTIAL_KEYS = [new_key]
    for row in DiscogsConnection.objects.all():
        credentials_of(row)


def test_second_rotation_finds_nothing_to_do(connections, new_key):
    rotate()
    before = list(DiscogsConnection.objects.order_by("pk").values_list("credential", flat=True))
    assert "0 of 3" in rotate()
    assert list(DiscogsConnection.objects.order_by("pk").values_list("credential", flat=True)) == before


def test_interrupted_rotation_continues(connections, new_key):
    half = connections[0]
    DiscogsConnection.objects.filter(pk=half.pk).update(credential=seal("token-x", user_id=half.user_id))
    assert "2 of 3" in rotate()


def test_unreadable_credential_is_kept_and_named(connections, new_key):
    stray = Fernet(Fernet.generate_key()).encrypt(b"{}").decode()
    DiscogsConnection.objects.filter(pk=connections[1].pk).update(credential=stray)
    with pytest.raises(CommandError, match="1 credentials cannot be read"):
        rotate()
    assert DiscogsConnection.objects.get(pk=connections[1].pk).credential == stray
    assert "0 of 3" in _rotated_again()


def _rotated_again() -> str:
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("rotate_credentials", stdout=out, stderr=out)
    return out.getvalue()


def test_oauth_credential_stays_whole(connections, new_key, registered_site, settings):
    row = connections[0]
    row.credential = seal_oauth(Token("the-token", "the-secret"), user_id=row.user_id)
    row.save()
    rotate()
    settings.CREDENTIAL_KEYS = [new_key]
    row.refresh_from_db()
    credentials_of(row)


def test_connection_without_credential_is_skipped(connections, new_key):
    DiscogsConnection.objects.filter(pk=connections[2].pk).update(credential="")
    assert "2 of 2" in rotate()


def test_two_factor_secrets_are_rotated(make_staff, settings):
    boss = make_staff()
    before = [row.wrap().generate_codes() for row in Authenticator.objects.filter(type="recovery_codes")]
    secret = stored_secret(boss)
    new_key = Fernet.generate_key().decode()
    settings.CREDENTIAL_KEYS = [new_key, *settings.CREDENTIAL_KEYS]
    assert "2 of 2 two-factor" in rotate()
    assert "0 of 2 two-factor" in rotate()
    settings.CREDENTIAL_KEYS = [new_key]
    assert stored_secret(boss) == secret
    assert [
        row.wrap().generate_codes() for row in Authenticator.objects.filter(type="recovery_codes")
    ] == before


def test_unreadable_two_factor_is_kept_and_named(make_staff, settings):
    make_staff()
    before = list(Authenticator.objects.order_by("pk").values_list("data", flat=True))
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match="2 credentials cannot be read"):
        rotate()
    assert list(Authenticator.objects.order_by("pk").values_list("data", flat=True)) == before
