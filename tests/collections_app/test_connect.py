import pytest
from django.utils import timezone

from collections_app.connect import ConnectRefused, connect_with_token, disconnect
from collections_app.discogs.sandbox.demo import DEMO_TOKEN, SMALL_TOKEN
from collections_app.models import CollectionInstance, DiscogsConnection
from tests.pricing.engine import import_all

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def user(make_user, generous_sandbox):
    return make_user()


def connect(user, token):
    return connect_with_token(user, token, now=timezone.now())


def test_a_good_token_connects_as_who_discogs_says(user):
    connection = connect(user, f"  {DEMO_TOKEN}\n")
    assert (connection.discogs_username, connection.is_active) == ("crate_demo", True)
    assert DEMO_TOKEN not in connection.credential


@pytest.mark.parametrize("token", ["", "short", "with spaces in it", "line\nbreak-injected-here", "ü" * 20])
def test_text_that_cannot_be_a_token_is_refused_without_a_request(user, generous_sandbox, token):
    with pytest.raises(ConnectRefused, match="Nothing was changed"):
        connect(user, token)
    assert generous_sandbox.stats()["accepted"] == 0


def test_a_token_discogs_rejects_is_refused_with_what_to_do(user):
    with pytest.raises(ConnectRefused, match="Make a new one"):
        connect(user, "not-a-token-of-anyone")
    assert not DiscogsConnection.objects.exists()


def test_an_outage_while_connecting_changes_nothing(user, generous_sandbox):
    connect(user, DEMO_TOKEN)
    generous_sandbox.add_fault(path="/oauth/identity", kind="status", status=503)
    with pytest.raises(ConnectRefused, match="could not be reached"):
        connect(user, DEMO_TOKEN)
    assert DiscogsConnection.objects.get().is_active


def test_another_discogs_account_is_refused_until_disconnected(user):
    connection = connect(user, DEMO_TOKEN)
    with pytest.raises(ConnectRefused, match="small_shelf"):
        connect(user, SMALL_TOKEN)
    disconnect(connection)
    assert connect(user, SMALL_TOKEN).discogs_username == "small_shelf"


def test_reconnecting_mends_a_connection_and_keeps_its_date(user):
    first = connect(user, DEMO_TOKEN)
    DiscogsConnection.objects.update(state=DiscogsConnection.State.RECONNECT_NEEDED)
    again = connect(user, DEMO_TOKEN)
    assert again.is_active
    assert (again.pk, again.connected_at) == (first.pk, first.connected_at)


def test_disconnecting_erases_credential_and_holdings(user):
    connection = connect(user, SMALL_TOKEN)
    import_all(user)
    assert CollectionInstance.objects.count() >= 50
    disconnect(connection)
    assert not CollectionInstance.objects.exists()
    assert not DiscogsConnection.objects.exists()
