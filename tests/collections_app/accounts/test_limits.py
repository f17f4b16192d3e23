"""Limits on guessing and on what costs much."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from collections_app.accounts.limits import limited, parse_rate
from tests.accounts import log_in

pytestmark = pytest.mark.django_db


def tries(times: int, **address: str) -> list[int]:
    return [log_in(Client(), f"guess-{n}", "wrong", **address).status_code for n in range(times)]


def test_login_is_limited_to_five_tries(client, make_user):
    make_user("someone")
    for number in range(5):
        log_in(Client(), "someone", "wrong", REMOTE_ADDR=f"192.0.2.{number}")
    html = log_in(client, "someone", REMOTE_ADDR="192.0.2.99").content.decode()
    assert "Too many failed attempts" in html


def test_unknown_name_is_limited_alike(client):
    for number in range(5):
        log_in(Client(), "nobody", "wrong", REMOTE_ADDR=f"192.0.2.{number}")
    assert "Too many failed attempts" in log_in(client, "nobody", REMOTE_ADDR="192.0.2.99").content.decode()


def test_host_name_does_not_reset_the_limit(client, make_user, settings):
    settings.ALLOWED_HOSTS = ["*"]
    make_user("someone")
    for number in range(5):
        log_in(Client(), "someone", "wrong", REMOTE_ADDR=f"192.0.2.{number}", HTTP_HOST=f"h{number}.example")
    assert "Too many failed attempts" in log_in(client, "someone", HTTP_HOST="h9.example").content.decode()


def test_address_is_limited_across_names():
    assert tries(31)[-1] == 429
    assert tries(1, REMOTE_ADDR="192.0.2.1") == [200]


def test_forged_header_does_not_evade_the_limit():
    answers = [
        log_in(Client(), f"guess-{n}", "wrong", HTTP_X_FORWARDED_FOR=f"198.51.100.{n}").status_code
        for n in range(31)
    ]
    assert answers[-1] == 429


def test_visitors_behind_a_proxy_count_alone(settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for number in range(31):
        # The first part is what the visitor wrote, the last one what the proxy added.
        header = f"203.0.113.{number}, 198.51.100.7"
        status = log_in(Client(), f"guess-{number}", "wrong", HTTP_X_FORWARDED_FOR=header).status_code
    assert status == 429
    assert tries(1, HTTP_X_FORWARDED_FOR="198.51.100.8") == [200]


@pytest.mark.parametrize(
    ("address", "form", "allowed"),
    [
        ("/account/signup/", {"email": "a{n}@example.org", "password1": "x"}, 10),
        ("/account/password/reset/", {"email": "a{n}@example.org"}, 10),
    ],
)
def test_sign_up_and_codes_are_limited_by_address(address, form, allowed):
    answers = [
        Client().post(address, {key: value.format(n=n) for key, value in form.items()}).status_code
        for n in range(allowed + 1)
    ]
    assert answers[-1] == 429
    assert 429 not in answers[:-1]


def test_codes_for_one_address_are_limited():
    form = {"email": "someone@example.org"}
    answers = [
        Client().post("/account/password/reset/", form, REMOTE_ADDR=f"192.0.2.{n}").status_code
        for n in range(6)
    ]
    assert answers == [302] * 5 + [429]


# What costs much -------------------------------------------------------------------------------------


@limited("test", "2/5m")
def expensive(request):
    return HttpResponse("done")


@limited("reading", "1/h", reading=True)
def expensive_to_read(request):
    return HttpResponse("done")


@limited("at-once", "5/h")
def at_once(request):
    return HttpResponse("done")


def ask(view, user, method: str = "post"):
    request = getattr(RequestFactory(), method)("/")
    request.user = user
    return view(request)


def test_limited_page_names_the_wait(make_user):
    user = make_user()
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        assert [ask(expensive, user).status_code for _ in range(3)] == [200, 200, 429]
    with time_machine.travel(now + timedelta(seconds=90), tick=False):
        refused = ask(expensive, user)
    assert refused.headers["Retry-After"] == "210"
    assert "Try again in 4 min" in refused.content.decode()
    with time_machine.travel(now + timedelta(seconds=301), tick=False):
        assert ask(expensive, user).status_code == 200


def test_users_are_counted_apart(make_user):
    ann, ben = make_user("ann"), make_user("ben")
    assert [ask(expensive, ann).status_code for _ in range(3)][-1] == 429
    assert ask(expensive, ben).status_code == 200


def test_only_costly_reads_are_counted(make_user):
    user = make_user()
    assert [ask(expensive, user, "get").status_code for _ in range(4)] == [200] * 4
    assert [ask(expensive_to_read, user, "get").status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(("text", "rate"), [("10/5m", (10, 300)), ("30/h", (30, 3600)), ("1/20s", (1, 20))])
def test_parse_rate_reads_amount_and_seconds(text, rate):
    assert parse_rate(text) == rate


def test_slot_is_free_after_its_own_time(make_user):
    user, now = make_user(), timezone.now()
    answers = []
    for seconds in (0, 200, 299, 301, 302, 501):
        with time_machine.travel(now + timedelta(seconds=seconds), tick=False):
            answers.append(ask(expensive, user).status_code)
    assert answers == [200, 200, 429, 200, 429, 200]


def test_limit_is_exact_for_requests_at_once(transactional_db, make_user):
    if connection.vendor == "sqlite":
        pytest.skip("its writers wait for each other, and threads of a test share one connection")
    user = make_user()

    def one(_: int) -> int:
        try:
            return ask(at_once, user).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(24)))
    assert sorted(answers) == [200] * 5 + [429] * 19


def test_limited_view_keeps_its_name():
    assert expensive.__name__ == "expensive"
