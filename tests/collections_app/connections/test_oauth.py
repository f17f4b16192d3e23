"""Connecting by OAuth: the pieces, and the way of a user through Discogs and back."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import time_machine
from django.test import Client
from django.utils import timezone

from collections_app.connections.connect import connect_with_token
from collections_app.connections.credentials import credentials_of
from collections_app.discogs.client import DiscogsClient
from collections_app.discogs.errors import BadPayload
from collections_app.discogs.oauth import Token, parse_token
from collections_app.models import ApiGate, DiscogsConnection, ImportPass, PendingAuthorisation
from collections_app.sandbox.world.demo import SMALL_TOKEN
from pricing.models import SyncRun
from tests.pricing.engine import import_all

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def discogs(registered_site, generous_sandbox):
    return generous_sandbox


@pytest.fixture
def user(make_user, client, discogs):
    user = make_user()
    client.force_login(user)
    return user


def begin(client) -> str:
    """Start at our site; returns the request token Discogs was asked about."""
    response = client.post("/connect/discogs/")
    assert response.status_code == 200, response.content
    return parse_qs(urlsplit(response.context["address"]).query)["oauth_token"][0]


def come_back(client, **query):
    return client.get("/connect/discogs/callback/", query)


def allow(client, discogs, username="crate_demo"):
    token = begin(client)
    return come_back(client, oauth_token=token, oauth_verifier=discogs.authorise(token, username))


def test_approval_connects_and_starts_a_sync(client, user, discogs):
    response = allow(client, discogs)
    connection = DiscogsConnection.objects.get(user=user)
    assert (connection.discogs_username, connection.kind) == ("crate_demo", DiscogsConnection.Kind.OAUTH)
    assert response.url == f"/syncs/{SyncRun.objects.get(user=user).pk}/"


def test_page_leads_to_discogs(client, user, discogs):
    html = client.post("/connect/discogs/").content.decode()
    links = re.findall(r'<a [^>]*href="([^"]*/oauth/authorize[^"]*)"', html)
    refreshes = re.findall(r'<meta http-equiv="refresh" content="0; url=([^"]*)"', html)
    assert links == refreshes
    assert re.fullmatch(rf"{discogs.url}/oauth/authorize\?oauth_token=\w+", links[0])


def test_credential_reads_private_data(client, user, discogs):
    allow(client, discogs, "private_crate")
    import_all(user)
    assert ImportPass.objects.latest("pk").state == ImportPass.State.COMPLETE
    assert user.discogs_connection.instances.count() == 30


def test_every_request_passes_the_gate(client, user, discogs):
    discogs.reset("stats")
    allow(client, discogs)
    routes = discogs.stats()["routes"]
    assert [routes[name] for name in ("/oauth/request_token", "/oauth/access_token", "/oauth/identity")] == [
        1,
        1,
        1,
    ]
    assert ApiGate.objects.get().requests == discogs.stats()["accepted"] == 3


def test_denial_changes_nothing_and_says_so(client, user, discogs):
    html = come_back(client, denied=begin(client)).content.decode()
    assert "You did not allow it" in html
    assert "Nothing was changed" in html
    assert "Try again" in html
    assert not DiscogsConnection.objects.exists()


def test_denied_reconnect_offers_another_try(client, user, discogs):
    connect_with_token(user, SMALL_TOKEN, now=timezone.now())
    DiscogsConnection.objects.update(state=DiscogsConnection.State.RECONNECT_NEEDED)
    html = come_back(client, denied=begin(client)).content.decode()
    assert "Try again" in html
    assert "You stay connected as" not in html


def test_empty_callback_is_a_denial(client, user, discogs):
    begin(client)
    assert "You did not allow it" in come_back(client).content.decode()


def test_late_callback_says_so(client, user, discogs):
    token = begin(client)
    verifier = discogs.authorise(token, "crate_demo")
    with time_machine.travel(timezone.now() + timedelta(minutes=10, seconds=1), tick=True):
        html = come_back(client, oauth_token=token, oauth_verifier=verifier).content.decode()
    assert "That took too long" in html
    assert not DiscogsConnection.objects.exists()


def test_callback_counts_once(client, user, discogs):
    token = begin(client)
    query = {"oauth_token": token, "oauth_verifier": discogs.authorise(token, "crate_demo")}
    come_back(client, **query)
    discogs.reset("stats")
    html = come_back(client, **query).content.decode()
    assert "Used already" in html
    assert "You stay connected as" in html
    assert discogs.stats()["accepted"] == 0


def test_callback_of_another_account_is_refused(client, user, make_user, discogs):
    token = begin(client)
    verifier = discogs.authorise(token, "crate_demo")
    client.force_login(make_user("other"))
    html = come_back(client, oauth_token=token, oauth_verifier=verifier).content.decode()
    assert "Not begun here" in html
    assert not DiscogsConnection.objects.exists()


def test_pasted_callback_is_refused(client, user, make_user, discogs):
    """Who lures me to their callback does not get their collection into my account."""
    begin(client)
    attacker = Client()
    attacker.force_login(make_user("attacker"))
    token = begin(attacker)
    verifier = discogs.authorise(token, "small_shelf")
    assert "Not begun here" in come_back(client, oauth_token=token, oauth_verifier=verifier).content.decode()
    assert not DiscogsConnection.objects.exists()


def test_callback_in_another_browser_is_refused(client, user, discogs):
    token = begin(client)
    elsewhere = Client()
    elsewhere.force_login(user)
    verifier = discogs.authorise(token, "crate_demo")
    assert (
        "Not begun here" in come_back(elsewhere, oauth_token=token, oauth_verifier=verifier).content.decode()
    )


def test_pasted_authorisation_is_refused(client, user, make_user, discogs):
    token = begin(client)
    verifier = discogs.authorise(token, "crate_demo")
    other = make_user("other")
    theirs = Client()
    theirs.force_login(other)
    begin(theirs)
    mine = PendingAuthorisation.objects.get(user=user)
    PendingAuthorisation.objects.filter(user=other).update(credential=mine.credential)
    come_back(theirs, oauth_token=token, oauth_verifier=verifier)
    assert not DiscogsConnection.objects.filter(user=other).exists()


def test_wrong_verifier_is_explained(client, user, discogs):
    token = begin(client)
    discogs.authorise(token, "crate_demo")
    html = come_back(client, oauth_token=token, oauth_verifier="made-up").content.decode()
    assert "Not connected" in html
    assert "Start again" in html


def test_other_account_needs_disconnect_first(client, user, discogs):
    connect_with_token(user, SMALL_TOKEN, now=timezone.now())
    html = allow(client, discogs, "crate_demo").content.decode()
    assert "here you are connected as small_shelf" in html
    assert DiscogsConnection.objects.get().discogs_username == "small_shelf"


def test_token_connection_can_become_oauth(client, user, discogs):
    before = connect_with_token(user, SMALL_TOKEN, now=timezone.now())
    allow(client, discogs, "small_shelf")
    after = DiscogsConnection.objects.get()
    assert (after.pk, after.connected_at, after.kind) == (before.pk, before.connected_at, "oauth")


def test_revoked_access_asks_for_reconnecting(client, user, discogs):
    allow(client, discogs, "small_shelf")
    import_all(user)
    discogs.revoke("small_shelf")
    import_all(user)
    assert DiscogsConnection.objects.get().state == DiscogsConnection.State.RECONNECT_NEEDED
    assert "Reconnect" in client.get("/settings/").content.decode()
    allow(client, discogs, "small_shelf")
    assert DiscogsConnection.objects.get().is_active


def test_opening_the_start_page_begins_nothing(client, user, discogs):
    assert client.get("/connect/discogs/").status_code == 405
    assert client.head("/connect/discogs/callback/").status_code == 405
    assert not PendingAuthorisation.objects.exists()


def test_connect_page_without_key_offers_token(client, user, settings):
    settings.DISCOGS_CONSUMER_KEY = ""
    html = client.get("/connect/").content.decode()
    assert "Connect with Discogs" not in html
    assert "Generate new token" in html
    assert client.post("/connect/discogs/").status_code == 404


def test_wrong_consumer_key_is_for_the_operator(client, user, settings):
    settings.DISCOGS_CONSUMER_SECRET = "not-the-secret"
    html = client.post("/connect/discogs/", follow=True).content.decode()
    assert "its consumer key is wrong" in html
    assert "personal access token" in html


def test_outage_at_the_start_changes_nothing(client, user, discogs):
    discogs.add_fault(path="/oauth/request_token", kind="status", status=503)
    assert "could not be reached" in client.post("/connect/discogs/", follow=True).content.decode()
    assert not PendingAuthorisation.objects.exists()


def test_credential_survives_a_missing_consumer(client, user, discogs, settings):
    allow(client, discogs, "small_shelf")
    before = DiscogsConnection.objects.get().credential
    settings.DISCOGS_CONSUMER_KEY = ""
    import_all(user)
    connection = DiscogsConnection.objects.get()
    assert (connection.state, connection.credential) == (DiscogsConnection.State.UNREADABLE, before)


def test_secrets_are_never_sent(client, user, discogs):
    """HMAC-SHA1: the header carries a signature, and neither secret."""
    allow(client, discogs, "small_shelf")
    credentials = credentials_of(DiscogsConnection.objects.get())
    assert DiscogsClient(credentials).identity().username == "small_shelf"
    prepared = requests.Request("GET", discogs.url + "/oauth/identity", auth=credentials.auth).prepare()
    header = prepared.headers["Authorization"]
    assert 'oauth_signature_method="HMAC-SHA1"' in str(header)
    assert "sandbox-secret" not in str(header)
    assert "oauth_token_secret" not in str(header)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<html>",
        b"oauth_token=abcdefgh12",
        b"oauth_token=&oauth_token_secret=abcdefgh12",
        b"oauth_token=abcdefgh12&oauth_token_secret=with%20space",
        b"oauth_token=abcdefgh12&oauth_token=abcdefgh13&oauth_token_secret=abcdefgh12",
        b"oauth_token=abcdefgh12&oauth_token_secret=line%0Abreak12",
        "oauth_token=ü&oauth_token_secret=abcdefgh12".encode(),
        b"&".join(b"a%d=1" % n for n in range(50)),
    ],
)
def test_malformed_token_is_refused(body):
    with pytest.raises(BadPayload):
        parse_token(body)


def test_token_is_parsed_and_never_shown():
    token = parse_token(
        b"oauth_token=abcdefgh12&oauth_token_secret=secret-of-it&oauth_callback_confirmed=true"
    )
    assert token == Token("abcdefgh12", "secret-of-it")
    assert "secret-of-it" not in repr(token)
