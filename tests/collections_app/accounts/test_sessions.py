"""Where one is logged in, and ending it."""

from datetime import timedelta

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from collections_app.accounts.sessions import device_in_words
from tests.accounts import log_in

pytestmark = pytest.mark.django_db
PAGE = "/account/sessions/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)
EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 "
    "Safari/537.36 Edg/138.0.0.0"
)


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (SAFARI, "Safari on iPhone"),
        (EDGE, "Edge on Windows"),
        ("Something (Linux)", "A browser on Linux"),
        ("curl/8.5", "Unknown device"),
        ("", "Unknown device"),
    ],
)
def test_device_is_described_in_words(user_agent, words):
    assert device_in_words(user_agent) == words


@pytest.fixture
def phone(make_user):
    """Somebody's second device."""
    make_user("someone")
    device = Client(headers={"User-Agent": SAFARI})
    log_in(device, "someone", REMOTE_ADDR="192.0.2.9")
    return device


def is_in(client) -> bool:
    return client.get("/settings/").status_code == 200


def test_sessions_are_listed_with_this_one_marked(client, phone):
    log_in(client, "someone", HTTP_USER_AGENT=FIREFOX)
    html = client.get(PAGE).content.decode()
    assert "Firefox on Linux" in html
    assert "Safari on iPhone" in html
    assert "192.0.2.9" in html
    assert html.count("This one") == 1
    assert html.count(f'action="{PAGE}') == 2  # one to end, and all others


def test_one_session_is_ended(client, phone):
    log_in(client, "someone")
    row = UserSession.objects.get(ip="192.0.2.9")
    key = row.session_key
    assert client.post(f"{PAGE}{row.pk}/end/").url == PAGE
    assert not is_in(phone)
    assert is_in(client)
    assert not Session.objects.filter(session_key=key).exists()


def test_ending_this_session_logs_out(client, phone):
    row = UserSession.objects.get()
    assert phone.post(f"{PAGE}{row.pk}/end/").url == "/"
    assert not is_in(phone)


def test_all_others_are_ended(client, phone):
    log_in(client, "someone")
    assert client.post(PAGE).url == PAGE
    assert not is_in(phone)
    assert is_in(client)


def test_another_users_session_is_404(client, phone, make_user):
    client.force_login(make_user("other"))
    row = UserSession.objects.get()
    assert client.post(f"{PAGE}{row.pk}/end/").status_code == 404
    assert is_in(phone)


def test_ending_a_session_needs_post(phone):
    assert phone.get(f"{PAGE}{UserSession.objects.get().pk}/end/").status_code == 405


def test_last_seen_is_updated_every_few_minutes(phone):
    before = UserSession.objects.get().last_seen_at
    phone.get("/settings/")
    assert UserSession.objects.get().last_seen_at == before
    later = timezone.now() + timedelta(minutes=6)
    caches["pages"].clear()  # what another process does not know
    with time_machine.travel(later, tick=False):
        phone.get("/settings/", REMOTE_ADDR="192.0.2.10")
    seen = UserSession.objects.get()
    assert (seen.last_seen_at, seen.ip) == (later, "192.0.2.10")
