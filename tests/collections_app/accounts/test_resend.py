"""Sending the email of a sign-up or of a password reset again: the same for known and unknown addresses."""

import time

import pytest
import time_machine
from django.core import mail
from django.test import Client

from tests.accounts import code_in_mail
from tests.collections_app.accounts.test_accounts import CODE_PAGE, NEW, counted, logged_in, seen

__all__ = ["counted"]
pytestmark = pytest.mark.django_db

RESET, RESET_CODE = "/account/password/reset/", "/account/password/reset/confirm/"
LIMIT = 11  # seconds between two emails to one address
MAX_RESENDS = 3


@pytest.fixture
def clock():
    with time_machine.travel(time.time(), tick=False) as traveller:
        yield traveller


def resend(client: Client, **extra: str):
    return client.post(CODE_PAGE, {"action": "resend"}, **extra)


def button(client: Client) -> bool:
    return "Send the email again" in client.get(CODE_PAGE).content.decode()


# Confirming an address -------------------------------------------------------------------------------


def test_email_is_sent_again_with_the_same_code(client, clock):
    client.post("/account/signup/", NEW)
    first = code_in_mail()
    clock.shift(LIMIT)
    assert resend(client).url == CODE_PAGE
    assert "on its way again" in client.get(CODE_PAGE).content.decode()
    assert (len(mail.outbox), code_in_mail()) == (2, first)
    assert client.post(CODE_PAGE, {"code": first}).url == "/connect/"
    assert logged_in(client)


def test_code_is_valid_from_the_last_email(client, clock):
    client.post("/account/signup/", NEW)
    clock.shift(14 * 60)
    resend(client)
    clock.shift(14 * 60)
    client.post(CODE_PAGE, {"code": code_in_mail()})
    assert logged_in(client)


def test_sending_again_gives_no_more_attempts(client, clock):
    client.post("/account/signup/", NEW)
    right = code_in_mail()
    for _ in range(2):
        client.post(CODE_PAGE, {"code": "wrong"})
    clock.shift(LIMIT)
    resend(client)
    client.post(CODE_PAGE, {"code": "wrong"})
    client.post(CODE_PAGE, {"code": right})
    assert not logged_in(client)


def test_expired_sign_up_sends_nothing(client, clock):
    client.post("/account/signup/", NEW)
    clock.shift(16 * 60)
    assert resend(client).url == "/account/login/"
    assert len(mail.outbox) == 1


def test_stranger_sends_nothing(client):
    assert resend(client).url == "/account/login/"
    assert not mail.outbox


def test_failed_mail_keeps_the_code(client, clock, settings):
    client.post("/account/signup/", NEW)
    clock.shift(LIMIT)
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = (
        "django.core.mail.backends.smtp.EmailBackend",
        "127.0.0.1",
        1,
    )
    assert resend(client).status_code == 503
    settings.EMAIL_BACKEND = working
    assert button(client)
    client.post(CODE_PAGE, {"code": code_in_mail()})
    assert logged_in(client)


def test_new_address_gets_its_code_again(client, make_user, clock):
    client.force_login(make_user("someone"))
    client.post("/account/reauthenticate/", {"password": "a-long-password"})
    client.post("/account/email/", {"email": "moved@example.org", "action_add": ""})
    clock.shift(LIMIT)
    resend(client)
    assert [letter.to for letter in mail.outbox] == [["moved@example.org"]] * 2
    client.post(CODE_PAGE, {"code": code_in_mail()})
    assert mail.outbox[-1].to == ["someone@example.org"]


def test_sending_again_hides_known_addresses(make_user, counted, clock):
    """Each press is compared: answer, page after it, hashed passwords, and the number of emails."""
    make_user("known")
    histories = {}
    for who in ("known", "unknown"):
        address, stranger = f"{who}@example.org", Client()
        stranger.post("/account/signup/", {"email": address, "password1": "another-long-one-17"})
        histories[who] = history = []
        counted.clear()
        # At once; then as often as it is possible; then once more than that; then with a wrong code.
        for wait in (0, *[LIMIT] * (MAX_RESENDS + 1)):
            clock.shift(wait)
            sent = len(mail.outbox)
            answer = seen(resend(stranger))
            history.append((answer, seen(stranger.get(CODE_PAGE)), button(stranger), len(mail.outbox) - sent))
        history.append(seen(stranger.post(CODE_PAGE, {"code": "wrong"})))
        assert not counted
        assert {tuple(letter.to) for letter in mail.outbox} == {(address,)}
        assert len(mail.outbox) == 1 + MAX_RESENDS
        assert len({letter.subject for letter in mail.outbox}) == 1
        mail.outbox.clear()
    assert histories["known"] == histories["unknown"]
    assert [entry[2:] for entry in histories["known"][:5]] == [
        (True, 0),
        (True, 1),
        (True, 1),
        (False, 1),
        (False, 0),
    ]


@pytest.mark.parametrize("wait", [14 * 60, 15 * 60 + 1, 28 * 60, 29 * 60 + 1])
def test_time_hides_known_addresses(make_user, clock, wait):
    """Sent again after 14 minutes, the code is valid until minute 29: whether the address is known or not."""
    make_user("known")
    pages = {}
    began = time.time()
    for who in ("known", "unknown"):
        clock.move_to(began)
        stranger = Client()
        stranger.post("/account/signup/", {"email": f"{who}@example.org", "password1": "another-long-one-17"})
        clock.shift(14 * 60)
        resend(stranger)
        clock.move_to(began + wait)
        pages[who] = seen(stranger.get(CODE_PAGE))
    assert pages["known"] == pages["unknown"]
    assert pages["known"][0] == (200 if wait < 29 * 60 else 302)


def test_known_address_is_told_of_its_account(make_user, client, clock):
    make_user("known")
    client.post("/account/signup/", {**NEW, "email": "known@example.org"})
    clock.shift(LIMIT)
    resend(client)
    assert [letter.subject for letter in mail.outbox] == ["[Crateworth] You have an account"] * 2


@pytest.mark.parametrize("who", ["known", "unknown"])
def test_emails_to_one_address_are_limited(make_user, clock, who):
    """Ten in an hour, from whichever sessions and addresses."""
    make_user("known")
    form = {"email": f"{who}@example.org", "password1": "another-long-one-17"}
    for number in range(6):
        stranger, origin = Client(), f"192.0.2.{number}"
        clock.shift(LIMIT)
        stranger.post("/account/signup/", form, REMOTE_ADDR=origin)
        for _ in range(MAX_RESENDS):
            clock.shift(LIMIT)
            resend(stranger, REMOTE_ADDR=origin)
    assert len(mail.outbox) == 10


# A new password --------------------------------------------------------------------------------------


def test_another_reset_code_replaces_the_first(client, make_user):
    make_user("someone")
    form = {"email": "someone@example.org"}
    client.post(RESET, form)
    page = client.get(RESET_CODE).content.decode()
    assert '<input type="hidden" name="email" value="someone@example.org">' in page
    assert "on its way again" not in page
    assert client.post(RESET, form).url == RESET_CODE
    assert "Another email is on its way" in client.get(RESET_CODE).content.decode()
    assert code_in_mail(0) != code_in_mail(1)
    assert client.post(RESET_CODE, {"code": code_in_mail(0)}).status_code == 200
    assert client.post(RESET_CODE, {"code": code_in_mail(1)}).url == "/account/password/reset/complete/"


def test_another_reset_code_hides_known_accounts(make_user, counted):
    make_user("known")
    counted.clear()
    histories = {}
    for who in ("known", "unknown"):
        stranger, form = Client(), {"email": f"{who}@example.org"}
        histories[who] = []
        for _ in range(6):  # the last one is above the limit of the address
            sent = len(mail.outbox)
            answer = seen(stranger.post(RESET, form, REMOTE_ADDR=f"192.0.2.{len(who)}"))
            histories[who].append((answer, seen(stranger.get(RESET_CODE)), len(mail.outbox) - sent))
    assert histories["known"] == histories["unknown"]
    assert [entry[-1] for entry in histories["known"]] == [1, 1, 1, 1, 1, 0]
    assert not counted
