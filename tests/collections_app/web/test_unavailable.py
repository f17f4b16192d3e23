"""503 instead of an error, or of a wrong answer, while the database cannot be used."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.base import UpdateError
from django.core.cache import cache
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.test import Client, override_settings
from django.urls import path
from django.utils import timezone

from collections_app.accounts.limits import limited
from collections_app.accounts.session_store import SessionStore
from collections_app.web.error_pages import RETRY_AFTER
from collections_app.web.log_lines import OneLineEach, ShortLines
from config.urls import urlpatterns as site_patterns
from tests import factories as make
from tests.accounts import force_login_with_code, log_in
from tests.headers import assert_secure
from tests.locks import locked

pytestmark = pytest.mark.django_db(transaction=True)
only_postgresql = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="readers of SQLite are not kept out by a lock"
)


@pytest.fixture
def visitor() -> Client:
    return Client(raise_request_exception=False)


@pytest.fixture
def signed_in(visitor, make_user) -> Client:
    visitor.force_login(make_user())
    return visitor


def assert_away(response: HttpResponse) -> None:
    assert response.status_code == 503
    assert response["Retry-After"] == str(RETRY_AFTER)
    assert "no-store" in response["Cache-Control"]
    assert_secure(response.headers)


def assert_away_page(response: HttpResponse) -> None:
    assert_away(response)
    assert "The database does not answer at the moment" in response.content.decode()
    assert "Too" not in response.content.decode()


@pytest.mark.parametrize("debug", [False, True])
def test_uncounted_login_is_503(visitor, make_user, settings, debug):
    settings.DEBUG = debug
    make_user("someone")
    with locked("cache"):
        assert_away_page(log_in(visitor, "someone"))
        assert_away_page(log_in(visitor, "someone", "wrong"))
    assert log_in(visitor, "someone")["Location"] == "/dashboard/"


def test_other_uncounted_limits_are_503(visitor):
    with locked("cache"):
        form = {"email": "a@example.org", "password1": "a-long-password-7"}
        assert_away_page(visitor.post("/account/signup/", form))
        assert_away_page(visitor.post("/account/password/reset/", {"email": "a@example.org"}))


def test_uncounted_export_is_503(visitor, settings):
    visitor.force_login(make.make_connection().user)
    with locked("cache"):
        assert_away_page(visitor.get("/export/"))
    assert visitor.get("/export/").status_code == 200


def test_cache_raises_on_a_failed_write():
    with locked("cache"):
        for write in (cache.add, cache.set):
            with pytest.raises(OperationalError):
                write("key", "value")
        with pytest.raises(OperationalError):
            cache.delete("key")
    assert cache.add("key", "value") is True
    assert cache.add("key", "other") is False
    assert cache.touch("nothing") is False
    assert cache.get("key") == "value"


def test_unsaved_session_raises():
    session = SessionStore()
    session["a"] = 1
    session.save()
    session["a"] = 2
    with locked("django_session"), pytest.raises(OperationalError):
        session.save()
    SessionStore().delete(session.session_key)
    with pytest.raises(UpdateError):
        session.save()  # Django's own error: it is gone


@only_postgresql
def test_page_whose_table_is_locked_is_503(visitor):
    visitor.force_login(make.make_connection().user)
    for table, address in (
        ("django_session", "/dashboard/"),
        ("django_session", "/"),
        ("auth_user", "/settings/"),
        ("collections_app_discogsconnection", "/dashboard/"),
        ("pricing_syncrun", "/syncs/"),
    ):
        with locked(table):
            assert_away_page(visitor.get(address))
        assert visitor.get(address).status_code in {200, 302}


@only_postgresql
def test_admin_whose_table_is_locked_is_503(visitor, make_staff):
    force_login_with_code(visitor, make_staff())
    for table, address in (
        ("auth_user", "/admin/"),
        ("django_admin_log", "/admin/"),
        ("pricing_pricejob", "/admin/pricing/pricejob/"),
    ):
        with locked(table):
            assert_away_page(visitor.get(address))
        assert visitor.get(address).status_code == 200


@only_postgresql
def test_live_part_stays_unchanged(visitor):
    visitor.force_login(make.make_connection().user)
    with locked("pricing_syncrun"):
        response = visitor.get("/syncs/bar/", headers={"HX-Request": "true"})
    assert_away(response)
    assert response["Content-Type"] == "text/plain"
    assert "<" not in response.content.decode()


def test_write_in_middleware_is_503(visitor, make_user):
    user = make_user()
    visitor.force_login(user)
    key = visitor.session.session_key
    seen = UserSession.objects.create(user=user, ip="192.0.2.1", user_agent="", session_key=key)
    UserSession.objects.filter(pk=seen.pk).update(last_seen_at=timezone.now() - timedelta(hours=1))
    with locked("usersessions_usersession"):
        assert_away_page(visitor.get("/settings/"))
    assert visitor.get("/settings/").status_code == 200


# Where else it is noticed ----------------------------------------------------------------------------


def lazy(request: HttpRequest) -> TemplateResponse:
    """A query that only runs when the page is drawn."""
    rows = get_user_model().objects.extra(where=["pg_sleep(1) IS NOT NULL"])
    page = engines["django"].from_string("{% for row in rows %}{{ row }}{% endfor %}")
    return TemplateResponse(request, page, {"rows": rows})


@limited("counted", "1/h")
def counted(request: HttpRequest) -> HttpResponse:
    return HttpResponse("done")


urlpatterns = [path("lazy/", lazy), path("counted/", counted), *site_patterns]


@only_postgresql
@override_settings(ROOT_URLCONF=__name__)
def test_slow_statement_while_rendering_is_503(signed_in):
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 300")
    try:
        assert_away_page(signed_in.get("/lazy/"))
    finally:
        connection.close()  # the next one waits as usual


@override_settings(ROOT_URLCONF=__name__)
def test_uncounted_limit_is_503(signed_in):
    with locked("cache"):
        assert_away_page(signed_in.post("/counted/"))
    assert [signed_in.post("/counted/").status_code for _ in range(2)] == [200, 429]


@override_settings(ROOT_URLCONF=__name__)
def test_used_up_limit_survives_a_locked_cache(signed_in):
    """No lock is taken to count, so none is left by a process that died."""
    assert signed_in.post("/counted/").status_code == 200
    with locked("cache"):
        answer = signed_in.post("/counted/")
    assert answer.status_code == (429 if connection.vendor == "sqlite" else 503)
    assert signed_in.post("/counted/").status_code == 429


def test_log_has_one_short_line(visitor, make_user, caplog):
    with locked("cache"):
        log_in(visitor, "someone")
    records = [each for each in caplog.records if each.name == "django.request"]
    (record,) = [each for each in records if OneLineEach().filter(each)]
    line = ShortLines("%(message)s").format(record)
    assert line.startswith("Service Unavailable: /account/login/: OperationalError: ")
    assert "\n" not in line
    assert len(line) < 400
