"""Addresses and forms that nobody's browser makes by itself: answered, and never with an error of the server."""

from urllib.parse import quote

import pytest

from tests import factories as make

pytestmark = pytest.mark.django_db
NUL = "\x00"
HUGE = "9" * 5000


@pytest.fixture
def collector(client):
    collection = make.make_connection()
    make.make_price(
        make.make_copy(collection, make.make_release(title="Found", genres=["Jazz"])).release, 500
    )
    client.force_login(collection.user)
    return client


@pytest.mark.parametrize("name", ["q", "folder", "genre", "format", "decade", "state", "sort", "page"])
@pytest.mark.parametrize("value", [f"{HUGE[:40]}s", HUGE, "٣", "\udcff"])
def test_any_filter_is_answered_with_a_list(collector, name, value):
    response = collector.get(f"/collection/?{name}={quote(value, errors='surrogateescape')}")
    assert response.status_code == 200


@pytest.mark.parametrize("name", ["q", "folder", "genre", "format", "decade", "state", "sort", "page"])
@pytest.mark.parametrize("value", [NUL, f"Jazz{NUL}", f"1980{NUL}s"])
def test_filter_with_nul_is_refused(collector, name, value):
    assert collector.get(f"/collection/?{name}={quote(value)}").status_code == 400


@pytest.mark.parametrize("name", ["range", "group", "hours", "next"])
@pytest.mark.parametrize(
    "page", ["/dashboard/", "/dashboard/headline/", "/syncs/", "/settings/", "/connect/discogs/callback/"]
)
def test_any_choice_in_an_address_is_answered(collector, name, page):
    assert collector.get(f"{page}?{name}=%FF&oauth_token=%FF&oauth_verifier=%FF").status_code == 200
    assert collector.get(f"{page}?{name}=%00&oauth_token=%00&oauth_verifier=%00").status_code == 400


@pytest.mark.parametrize(
    "address",
    ["/release/{}/", "/release/{}/check/", "/syncs/{}/", "/syncs/{}/cancel/", "/account/sessions/{}/end/"],
)
def test_number_beyond_any_row_is_404(collector, address):
    for ask in (collector.get, collector.post):
        assert ask(address.format(HUGE[:30])).status_code in {404, 405}


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        ("/settings/preferences/", ("sync_every_hours", "currency", "locale", "time_zone", "hides_amounts")),
        ("/settings/amounts/", ("hide", "next")),
        ("/connect/", ("token",)),
        ("/account/reauthenticate/", ("password",)),
        ("/account/email/", ("email", "action_add")),
        ("/account/password/change/", ("oldpassword", "password1", "password2")),
        ("/account/sessions/", ("session",)),
    ],
)
def test_account_forms_refuse_unstorable_text(collector, address, fields):
    response = collector.post(address, dict.fromkeys(fields, f"a{NUL}b@example.org"))
    assert response.status_code < 500


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        ("/account/signup/", ("email", "password1", "username")),
        ("/account/login/", ("login", "password", "next")),
        ("/account/password/reset/", ("email",)),
        ("/account/confirm-email/", ("code",)),
    ],
)
def test_public_forms_refuse_unstorable_text(client, db, address, fields):
    response = client.post(address, dict.fromkeys(fields, f"a{NUL}b@example.org"))
    assert response.status_code < 500
