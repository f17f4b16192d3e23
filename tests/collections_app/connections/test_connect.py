import threading

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.utils import timezone

from collections_app.connections.connect import ConnectRefused, connect_with_token, disconnect
from collections_app.discogs.client import DiscogsClient
from collections_app.models import CollectionInstance, DiscogsConnection
from collections_app.sandbox.world.demo import DEMO_TOKEN, SMALL_TOKEN
from tests.pricing.engine import import_all
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def user(make_user, generous_sandbox):
    return make_user()


def connect(user, token):
    return connect_with_token(user, token, now=timezone.now())


def test_token_connects_as_its_discogs_identity(user):
    connection = connect(user, f"  {DEMO_TOKEN}\n")
    assert (connection.discogs_username, connection.is_active) == ("crate_demo", True)
    assert DEMO_TOKEN not in connection.credential


@pytest.mark.parametrize("token", ["", "short", "with spaces in it", "line\nbreak-injected-here", "ü" * 20])
def test_malformed_token_costs_no_request(user, generous_sandbox, token):
    with pytest.raises(ConnectRefused, match="Nothing was changed"):
        connect(user, token)
    assert generous_sandbox.stats()["accepted"] == 0


def test_rejected_token_says_what_to_do(user):
    with pytest.raises(ConnectRefused, match="Make a new one"):
        connect(user, "not-a-token-of-anyone")
    assert not DiscogsConnection.objects.exists()


def test_outage_while_connecting_changes_nothing(user, generous_sandbox):
    connect(user, DEMO_TOKEN)
    generous_sandbox.add_fault(path="/oauth/identity", kind="status", status=503)
    with pytest.raises(ConnectRefused, match="could not be reached"):
        connect(user, DEMO_TOKEN)
    assert DiscogsConnection.objects.get().is_active


def test_other_account_needs_disconnect_first(user):
    connection = connect(user, DEMO_TOKEN)
    with pytest.raises(ConnectRefused, match="small_shelf"):
        connect(user, SMALL_TOKEN)
    disconnect(connection)
    assert connect(user, SMALL_TOKEN).discogs_username == "small_shelf"


def test_reconnecting_repairs_and_keeps_the_date(user):
    first = connect(user, DEMO_TOKEN)
    DiscogsConnection.objects.update(state=DiscogsConnection.State.RECONNECT_NEEDED)
    again = connect(user, DEMO_TOKEN)
    assert again.is_active
    assert (again.pk, again.connected_at) == (first.pk, first.connected_at)


def test_disconnect_erases_credential_and_copies(user):
    connection = connect(user, SMALL_TOKEN)
    import_all(user)
    assert CollectionInstance.objects.count() >= 50
    disconnect(connection)
    assert not CollectionInstance.objects.exists()
    assert not DiscogsConnection.objects.exists()


# What happens while Discogs is being asked: the answer comes after these.


@pytest.fixture
def meanwhile(monkeypatch):
    """Runs something while Discogs checks who we are, once."""

    def arrange(act):
        real = DiscogsClient.identity

        def identity(client):
            monkeypatch.setattr(DiscogsClient, "identity", real)
            act()
            return real(client)

        monkeypatch.setattr(DiscogsClient, "identity", identity)

    return arrange


def test_simultaneous_second_account_is_refused(user, meanwhile):
    meanwhile(lambda: connect(user, SMALL_TOKEN))
    with pytest.raises(ConnectRefused, match="small_shelf"):
        connect(user, DEMO_TOKEN)
    assert DiscogsConnection.objects.get().discogs_username == "small_shelf"


def test_connect_race_does_not_overwrite(user):
    """The first is not committed yet when the second looks for it: only the insert tells."""
    refused = []

    def second():
        try:
            connect(user, DEMO_TOKEN)
        except ConnectRefused as error:
            refused.append(str(error))
        finally:
            connection.close()

    other = threading.Thread(target=second)
    with transaction.atomic():
        DiscogsConnection.objects.create(
            user=user, discogs_user_id=999, discogs_username="first", connected_at=timezone.now()
        )
        other.start()
        if connection.vendor == "postgresql":
            eventually(someone_waits_for_a_lock, within=30, what="the second insert")
    other.join(60)
    assert DiscogsConnection.objects.get().discogs_username == "first"
    assert "connected as first" in refused[0]


def someone_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0


def test_disconnect_during_token_check_holds(user, meanwhile):
    first = connect(user, DEMO_TOKEN)
    meanwhile(lambda: disconnect(first))
    with pytest.raises(ConnectRefused, match="disconnected meanwhile"):
        connect(user, DEMO_TOKEN)
    assert not DiscogsConnection.objects.exists()


def test_erasure_during_token_check_holds(user, meanwhile):
    meanwhile(lambda: get_user_model().objects.filter(pk=user.pk).delete())
    with pytest.raises(ConnectRefused, match="deleted meanwhile"):
        connect(user, DEMO_TOKEN)
    assert not DiscogsConnection.objects.exists()
