"""Signing up, confirming an address, logging in, a new password and a new address."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from collections_app.accounts.users import find_user
from collections_app.models import CollectionInstance
from tests.accounts import PASSWORD, CountingHasher, code_in_mail, log_in

pytestmark = pytest.mark.django_db
NEW = {"email": "newcomer@example.org", "password1": "another-long-one-17"}
CODE_PAGE = "/account/confirm-email/"


@pytest.fixture
def counted(settings):
    settings.PASSWORD_HASHERS = ["tests.accounts.CountingHasher"]
    CountingHasher.times.clear()
    return CountingHasher.times


def logged_in(client) -> bool:
    return client.get("/settings/").status_code == 200


def reauthenticate(client, password: str = PASSWORD) -> None:
    assert client.post("/account/reauthenticate/", {"password": password}).status_code == 302


# Signing up ------------------------------------------------------------------------------------------


def test_sign_up_confirms_address_by_code(client):
    assert client.post("/account/signup/", NEW).url == CODE_PAGE
    assert not logged_in(client)
    assert "newcomer@example.org" in client.get(CODE_PAGE).content.decode()
    assert client.post(CODE_PAGE, {"code": code_in_mail()}).url == "/connect/"
    assert logged_in(client)
    user = get_user_model().objects.get()
    assert (user.username, user.email) == ("newcomer", "newcomer@example.org")
    assert EmailAddress.objects.get(user=user).verified


def test_code_ignores_case_and_dash(client):
    client.post("/account/signup/", NEW)
    client.post(CODE_PAGE, {"code": code_in_mail().replace("-", " ").lower()})
    assert logged_in(client)


def test_right_code_fails_after_three_wrong(client):
    client.post("/account/signup/", NEW)
    right = code_in_mail()
    for _ in range(3):
        client.post(CODE_PAGE, {"code": "wrong"})
    client.post(CODE_PAGE, {"code": right})
    assert not logged_in(client)
    assert not EmailAddress.objects.get().verified


def test_lost_code_is_replaced_by_mail(client):
    client.post("/account/signup/", NEW)
    other = Client()
    other.post("/account/password/reset/", {"email": NEW["email"]})
    done = other.post("/account/password/reset/confirm/", {"code": code_in_mail()})
    other.post(done.url, {"password1": "another-long-one-18", "password2": "another-long-one-18"})
    log_in(other, NEW["email"], "another-long-one-18")
    assert logged_in(other)


@pytest.mark.parametrize("switch", ["DEBUG", "SANDBOX"])
def test_page_names_terminal_for_console_mail(client, settings, switch):
    client.post("/account/signup/", NEW)
    assert "terminal" not in client.get(CODE_PAGE).content.decode()
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert "terminal" not in client.get(CODE_PAGE).content.decode()
    setattr(settings, switch, True)
    assert "terminal" in client.get(CODE_PAGE).content.decode()


def test_mails_carry_no_host_of_the_request(client, make_user, settings):
    settings.ALLOWED_HOSTS = ["*"]
    make_user("known")
    hostile = {"HTTP_HOST": "evil.example"}
    client.post("/account/signup/", NEW, **hostile)
    Client().post("/account/signup/", {**NEW, "email": "known@example.org"}, **hostile)
    for address in ("known@example.org", "unknown@example.org"):
        Client().post("/account/password/reset/", {"email": address}, **hostile)
    assert len(mail.outbox) == 4
    for letter in mail.outbox:
        assert letter.subject.startswith("[Crateworth] ")
        assert "evil" not in str(letter.message())


# The same answer for known and unknown ---------------------------------------------------------------


def seen(response) -> tuple[int, str]:
    """What a stranger gets: status and address, or the text without what was typed and the form's token."""
    text = response.content.decode()
    for own in ("unknown@example.org", "known@example.org", "unknown", "known"):
        text = text.replace(own, "…")
    lines = [line for line in text.splitlines() if "csrfmiddlewaretoken" not in line]
    return response.status_code, response.headers.get("Location", "") + "\n".join(lines)


def test_sign_up_then_login_hides_known_addresses(make_user):
    make_user("known")
    answers = []
    for address in ("known@example.org", "unknown@example.org"):
        form = {"email": address, "password1": "another-long-one-17"}
        Client().post("/account/signup/", form)
        answers.append(seen(log_in(Client(), address, form["password1"])))
    assert get_user_model().objects.count() == 2
    assert answers[0] == answers[1]
    assert "never confirmed" in answers[0][1]


@pytest.mark.parametrize("name", ["{}", "{}@example.org"])
def test_login_failures_look_the_same(make_user, counted, name):
    make_user("known")
    counted.clear()
    answers, work = [], []
    for who in ("known", "unknown"):
        answers.append(seen(log_in(Client(), name.format(who), "wrong-password")))
        work.append(len(counted))
        counted.clear()
    assert answers[0] == answers[1]
    assert answers[0][0] == 200
    assert "does not match this password" in answers[0][1]
    assert work == [1, 1]


def test_sign_up_hides_known_addresses(make_user, counted):
    make_user("known")
    counted.clear()
    answers, work, pages = [], [], []
    for who in ("known", "unknown"):
        stranger = Client()
        form = {"email": f"{who}@example.org", "password1": "another-long-one-17"}
        answers.append(seen(stranger.post("/account/signup/", form)))
        pages.append(seen(stranger.get(CODE_PAGE)))
        pages.append(seen(stranger.post(CODE_PAGE, {"code": "wrong"})))
        work.append(len(counted))
        counted.clear()
    assert answers[0] == answers[1]
    assert pages[:2] == pages[2:]
    assert work == [1, 1]
    assert [letter.subject for letter in mail.outbox] == [
        "[Crateworth] You have an account",
        "[Crateworth] Your code",
    ]


def test_password_reset_hides_known_accounts(make_user, counted):
    make_user("known")
    counted.clear()
    answers, pages = [], []
    for who in ("known", "unknown"):
        stranger = Client()
        answers.append(seen(stranger.post("/account/password/reset/", {"email": f"{who}@example.org"})))
        pages.append(seen(stranger.get("/account/password/reset/confirm/")))
        pages.append(seen(stranger.post("/account/password/reset/confirm/", {"code": "wrong"})))
    assert answers[0] == answers[1]
    assert pages[:2] == pages[2:]
    assert not counted
    assert [letter.to for letter in mail.outbox] == [["known@example.org"], ["unknown@example.org"]]


# Logging in ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("login", ["someone", "SOMEONE@example.org"])
def test_login_accepts_name_or_address(client, make_user, login):
    make_user("someone")
    assert log_in(client, login).url == "/dashboard/"


def test_superuser_confirms_address_at_login(client):
    get_user_model().objects.create_superuser("boss", "boss@example.org", PASSWORD)
    assert log_in(client, "boss").url == CODE_PAGE
    client.post(CODE_PAGE, {"code": code_in_mail()})
    assert logged_in(client) or client.get("/settings/").url == "/account/2fa/"
    assert EmailAddress.objects.get().verified


def test_user_without_address_is_told_what_to_do(client, capsys):
    get_user_model().objects.create_superuser("boss", "", PASSWORD)
    html = log_in(client, "boss", follow=True).content.decode()
    assert "confirm_email" in html
    call_command("confirm_email", "boss", "Boss@example.org")
    assert "boss@example.org" in capsys.readouterr().out
    log_in(client, "boss")
    assert client.get("/account/2fa/").status_code == 200


def test_command_refuses_another_users_address(make_user):
    make_user("ann")
    ben = make_user("ben")
    with pytest.raises(CommandError, match="another account"):
        call_command("confirm_email", "ben", "ann@example.org")
    with pytest.raises(CommandError, match="not an email"):
        call_command("confirm_email", "ben", "nonsense")
    assert EmailAddress.objects.get(user=ben).email == "ben@example.org"


def test_commands_find_a_user_by_name_or_address(make_user):
    ann = make_user("ann")
    assert find_user("ann") == find_user("ANN@example.org") == ann
    get_user_model().objects.create_user("ben", "ben@example.org")
    assert find_user("ben@example.org").username == "ben"
    get_user_model().objects.create_user("twin", "ben@example.org")
    assert find_user("ben@example.org") is None
    assert find_user("nobody") is None


def test_logout_is_post_and_shows_landing_page(client, make_user):
    client.force_login(make_user())
    assert "Log out?" in client.get("/account/logout/").content.decode()
    assert logged_in(client)
    assert client.post("/account/logout/").url == "/"
    assert not logged_in(client)


# A new password and a new address --------------------------------------------------------------------


def test_password_reset_ends_every_session(client, make_user):
    make_user("someone")
    elsewhere = Client()
    log_in(elsewhere, "someone")
    assert logged_in(elsewhere)
    assert client.post("/account/password/reset/", {"email": "someone@example.org"}).status_code == 302
    done = client.post("/account/password/reset/confirm/", {"code": code_in_mail()})
    assert done.url == "/account/password/reset/complete/"
    new = {"password1": "another-long-one-17", "password2": "another-long-one-17"}
    assert client.post(done.url, new).url == "/account/password/reset/done/"
    assert not logged_in(elsewhere)
    assert not logged_in(client)
    assert log_in(client, "someone", "another-long-one-17").url == "/dashboard/"
    assert "was changed with a code sent by email" in mail.outbox[-1].body


def test_password_change_ends_other_sessions(client, make_user):
    make_user("someone")
    elsewhere = Client()
    for each in (client, elsewhere):
        log_in(each, "someone")
    form = {
        "oldpassword": PASSWORD,
        "password1": "another-long-one-17",
        "password2": "another-long-one-17",
    }
    assert client.post("/account/password/change/", {**form, "oldpassword": "wrong"}).status_code == 200
    assert logged_in(elsewhere)
    assert client.post("/account/password/change/", form).url == "/settings/"
    assert logged_in(client)
    assert not logged_in(elsewhere)


def test_new_address_needs_password_and_code(client, make_user):
    user = make_user("someone")
    log_in(client, "someone")
    form = {"email": "moved@example.org", "action_add": ""}
    asked = client.post("/account/email/", form)
    assert asked.url.startswith("/account/reauthenticate/")
    resumed = client.post("/account/reauthenticate/", {"password": PASSWORD, "next": "/account/email/"})
    assert resumed.url == CODE_PAGE
    user.refresh_from_db()
    assert user.email == "someone@example.org"
    client.post(CODE_PAGE, {"code": code_in_mail()})
    user.refresh_from_db()
    assert user.email == "moved@example.org"
    assert list(EmailAddress.objects.values_list("email", "verified")) == [("moved@example.org", True)]
    assert mail.outbox[-1].to == ["someone@example.org"]
    assert "from someone@example.org to moved@example.org" in mail.outbox[-1].body


def test_taken_address_is_told_only_by_mail(client, make_user):
    make_user("other")
    make_user("someone")
    log_in(client, "someone")
    reauthenticate(client)
    form = {"email": "other@example.org", "action_add": ""}
    assert client.post("/account/email/", form).url == CODE_PAGE
    assert mail.outbox[-1].to == ["other@example.org"]
    html = client.post(CODE_PAGE, {"code": code_in_mail()}).content.decode()
    assert "belongs to another account" in html


def test_mails_name_time_and_place_of_a_change(client, make_user):
    make_user("someone")
    log_in(client, "someone")
    form = {
        "oldpassword": PASSWORD,
        "password1": "another-long-one-17",
        "password2": "another-long-one-17",
    }
    client.post("/account/password/change/", form, REMOTE_ADDR="192.0.2.7")
    assert "from the address 192.0.2.7" in mail.outbox[-1].body
    assert str(timezone.now().year) in mail.outbox[-1].body


@pytest.mark.parametrize("account_only", [False, True])
def test_demo_account_logs_in_at_once(client, generous_sandbox, account_only):
    call_command("seed_demo", years=0, account_only=account_only)
    assert log_in(client, "demo", "crateworth-demo").url == "/dashboard/"
    assert client.get("/dashboard/").status_code == 200
    assert CollectionInstance.objects.exists() is not account_only


def test_labels_are_in_sentence_case(client, make_user):
    client.force_login(make_user())
    reauthenticate(client)
    pages = [client.get("/account/password/change/").content.decode()]
    client.logout()
    pages += [client.get(f"/account/{page}/").content.decode() for page in ("login", "signup")]
    labels = {label for page in pages for label in re.findall(r"<label[^>]*>([^<]+)</label>", page)}
    assert {"Current password", "New password (again)", "Remember me"} <= labels
    assert {label for label in labels if label != label.lower().capitalize()} == set()


def test_landing_page_has_one_pair_of_buttons(client):
    for path in ("/", "/account/signup/"):
        html = client.get(path).content.decode()
        buttons = re.findall(r'class="btn[^"]*"\s+href="([^"]+)"', html)
        assert sorted(buttons) == ["/account/login/", "/account/signup/"], path
