"""How everything is shown: active for one request of one user, and gone with it."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.http import HttpResponse, StreamingHttpResponse
from django.template import Context, Template
from django.test.utils import CaptureQueriesContext

from collections_app.models import Preferences
from pricing.money import display
from pricing.pages.middleware import DisplayMiddleware
from pricing.pages.queries.display import display_for
from tests import factories as make
from tests.accounts import force_login_with_code

pytestmark = pytest.mark.django_db

SUMMER, WINTER = datetime(2026, 7, 1, 12, 30, tzinfo=UTC), datetime(2026, 12, 1, 12, 30, tzinfo=UTC)
IN_UTC = "2026-07-01T12:30:00+00:00"
# Berlin put its clocks back an hour at 01:00 UTC of this night, so two moments have the same time of day.
BEFORE, AFTER = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@pytest.fixture
def user(make_user):
    user = make_user()
    Preferences.objects.create(user=user, time_zone="Europe/Berlin")
    return user


def rendered(moment: datetime) -> str:
    return Template("{% load figures %}{{ moment|date:'c' }}").render(Context({"moment": moment}))


def through_the_middleware(rf, user, view):
    request = rf.get("/")
    request.user, request.resolver_match = user, None
    return DisplayMiddleware(view)(request)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (SUMMER, "2026-07-01T14:30:00+02:00"),
        (WINTER, "2026-12-01T13:30:00+01:00"),
        (BEFORE, "2026-10-25T02:30:00+02:00"),
        (AFTER, "2026-10-25T02:30:00+01:00"),
    ],
)
def test_times_use_the_users_zone_across_dst(rf, user, moment, text):
    response = through_the_middleware(rf, user, lambda request: HttpResponse(rendered(moment)))
    assert response.content.decode() == text


def test_display_ends_with_the_request(rf, user):
    through_the_middleware(rf, user, lambda request: HttpResponse(rendered(SUMMER)))
    assert display.current() == display.Display()
    assert rendered(SUMMER) == IN_UTC


def test_display_ends_if_the_request_fails(rf, user):
    def fail(request):
        rendered(SUMMER)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        through_the_middleware(rf, user, fail)
    assert rendered(SUMMER) == IN_UTC


def test_stream_keeps_users_zone_in_each_piece(rf, user):
    def view(request):
        return StreamingHttpResponse(rendered(moment) for moment in (SUMMER, WINTER))

    stream = iter(through_the_middleware(rf, user, view))
    assert b"T14:30:00+02:00" in next(stream)
    assert rendered(SUMMER) == IN_UTC
    assert b"T13:30:00+01:00" in next(stream)
    assert list(stream) == []


def test_request_without_formats_costs_no_query(rf, user, django_assert_num_queries):
    with django_assert_num_queries(0):
        through_the_middleware(rf, user, lambda request: HttpResponse("nothing"))
    with django_assert_num_queries(1):
        through_the_middleware(rf, user, lambda request: HttpResponse(rendered(SUMMER) + rendered(WINTER)))


def test_anonymous_sees_utc_without_a_query(rf, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = through_the_middleware(rf, AnonymousUser(), lambda request: HttpResponse(rendered(SUMMER)))
    assert response.content.decode() == IN_UTC


@pytest.mark.parametrize("name", ["Gone/Zone", "", "../../etc/passwd", "Europe", "\x00"])
def test_unknown_zone_is_utc(make_user, name):
    user = make_user()
    if connection.vendor == "sqlite" or "\x00" not in name:
        Preferences.objects.create(user=user, time_zone=name)
    assert display_for(user.pk, now=SUMMER).zone_name == "UTC"


@pytest.mark.parametrize("address", ["/syncs/", "/syncs/{run}/", "/dashboard/"])
def test_pages_name_the_zone_of_their_times(client, address):
    collection = make.make_connection()
    make.make_price(make.make_copy(collection).release, 100, observed_at=WINTER)
    run = make.make_run(collection, created_at=WINTER)
    Preferences.objects.create(user=collection.user, time_zone="America/New_York")
    with time_machine.travel(WINTER, tick=False):
        client.force_login(collection.user)
        html = client.get(address.format(run=run.pk)).content.decode()
    assert "America/New York" in html
    assert "UTC" not in html.replace("Day (UTC)", "")
    assert "07:30" in html
    assert "12:30" not in html.replace(f'datetime="{WINTER.isoformat()}"', "")


def test_each_user_has_an_own_zone(client):
    for name, zone, time in (
        ("first", "Asia/Tokyo", "21:30"),
        ("second", "Pacific/Auckland", "01:30"),
        ("third", "", "12:30"),
    ):
        collection = make.make_connection(name)
        make.make_run(collection, "finished", created_at=WINTER)
        if zone:
            Preferences.objects.create(user=collection.user, time_zone=zone)
        client.force_login(collection.user)
        assert time in client.get("/syncs/").content.decode()


def test_admin_shows_times_in_utc(client, make_staff):
    staff = make_staff()
    Preferences.objects.create(user=staff, time_zone="Asia/Tokyo")
    make.make_run(make.make_connection(), "finished", created_at=WINTER, finished_at=WINTER)
    force_login_with_code(client, staff)
    html = client.get("/admin/pricing/syncrun/").content.decode()
    assert "12:30 p.m." in html
    assert "9:30 p.m." not in html


def test_pages_pay_one_query_for_preferences(client):
    collection = make.make_connection()
    make.make_run(collection, "finished")
    client.force_login(collection.user)
    client.get("/syncs/")
    with CaptureQueriesContext(connection) as captured:
        client.get("/syncs/")
    asked = [query for query in captured if "collections_app_preferences" in query["sql"]]
    assert len(asked) == 1
    with CaptureQueriesContext(connection) as captured:
        client.get("/healthz")
    assert not [query for query in captured if "collections_app_preferences" in query["sql"]]
