"""The address of a visitor: what limits count by, and what the list of sessions shows."""

import pytest
from allauth.account.adapter import get_adapter
from allauth.core.internal.ratelimit import get_ip
from allauth.usersessions.models import UserSession
from django.test import Client, RequestFactory

from collections_app.accounts.addresses import plain_address
from tests.accounts import log_in
from tests.collections_app.accounts.test_limits import tries

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:c000:201", "192.0.2.1"),
        ("0:0:0:0:0:FFFF:192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1%eth0", "192.0.2.1"),
        ("64:ff9b::192.0.2.1", "192.0.2.1"),
        ("64:ff9b::c000:201", "192.0.2.1"),
        (
            "64:ff9b:1::192.0.2.1",
            "64:ff9b:1::c000:201",
        ),  # of a network's own: two of them may be two visitors
        ("fe80::1%eth0", "fe80::1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("::1", "::1"),
        ("::", "::"),
    ],
)
def test_plain_address(text, plain):
    assert plain_address(text) == plain


@pytest.mark.parametrize("text", ["", "unix:", "999.1.1.1", "1.2.3", "localhost", "::ffff:1.2.3", "%eth0"])
def test_plain_address_of_garbage_raises(text):
    with pytest.raises(ValueError, match="does not appear to be"):
        plain_address(text)


@pytest.mark.parametrize("prefix", ["::ffff:", "64:ff9b::"])
def test_mapped_ipv6_visitors_are_limited_apart(prefix):
    assert tries(31, REMOTE_ADDR=f"{prefix}192.0.2.1")[-1] == 429
    assert tries(1, REMOTE_ADDR=f"{prefix}192.0.2.2") == [200]
    assert tries(1, REMOTE_ADDR="192.0.2.1") == [429]  # the same visitor


def test_one_ipv6_network_shares_a_limit():
    assert tries(31, REMOTE_ADDR="2001:db8::1%eth0")[-1] == 429
    assert tries(1, REMOTE_ADDR="2001:db8::ffff:2") == [429]
    assert tries(1, REMOTE_ADDR="2001:db8:0:1::1") == [200]


@pytest.mark.parametrize(
    ("header", "counted"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("203.0.113.1, ::ffff:198.51.100.7", "198.51.100.7"),
        ("203.0.113.1,[::ffff:198.51.100.7]:4711", "198.51.100.7"),
        ("203.0.113.1, 198.51.100.7:4711", "198.51.100.7"),
        ("203.0.113.1, fe80::1%eth0", "fe80::"),
    ],
)
def test_proxy_address_is_plain_too(settings, header, counted):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    request = RequestFactory().get("/", headers={"X-Forwarded-For": header})
    assert get_ip(request) == counted


@pytest.mark.parametrize("header", ["garbage", "198.51.100.7, ", "\x00"])
def test_proxy_garbage_is_refused(settings, header):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    assert log_in(Client(), "someone", HTTP_X_FORWARDED_FOR=header).status_code == 403


def test_too_few_proxies_are_refused(settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 2
    assert log_in(Client(), "someone", HTTP_X_FORWARDED_FOR="198.51.100.7").status_code == 403


@pytest.mark.parametrize("address", ["", "unix:", "@"])
def test_page_shows_with_unreadable_address(client, make_user, address):
    make_user("someone")
    log_in(client, "someone", REMOTE_ADDR="192.0.2.9")
    UserSession.objects.update(last_seen_at="2026-01-01T00:00Z")
    assert client.get("/settings/", REMOTE_ADDR=address).status_code == 200
    assert UserSession.objects.get().ip == "192.0.2.9"


def test_session_shows_the_plain_address(client, make_user):
    make_user("someone")
    log_in(client, "someone", REMOTE_ADDR="::ffff:192.0.2.9%eth0")
    assert UserSession.objects.get().ip == "192.0.2.9"
    assert get_adapter().get_client_ip(RequestFactory().get("/", REMOTE_ADDR="fe80::2%lo")) == "fe80::2"
