"""Hostile requests, which no browser makes on its own, to every admin list and every page of the site."""

from collections.abc import Iterator
from urllib.parse import quote, urlencode

import pytest
from django.contrib import admin
from django.contrib.admin.options import ModelAdmin
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse

from pricing.models import PriceJob
from tests import factories as make
from tests.accounts import force_login_with_code
from tests.routes import routes

pytestmark = pytest.mark.django_db
HUGE = "9" * 5000
NUL_VALUES = ("\x00", "a\x00b", "1\x00")
ODD_VALUES = ("x", "9" * 30, "2026-13-45", "\udcff")
ODDER_VALUES = ("", "-1", HUGE, "1,2", "0001-01-01T99:99", "٣", "𒀀", "%", "null")
LIST_PARAMETERS = ("q", "o", "p", "all", "e", "_facets", "_popup", "_to_field", "_changelist_filters")


@pytest.fixture
def staff(make_staff) -> Client:
    browser = Client()
    force_login_with_code(browser, make_staff("boss"))
    return browser


def lists() -> list[ModelAdmin]:
    return list(admin.site._registry.values())


def parameters(page: ModelAdmin) -> Iterator[str]:
    """The query parameters of an admin list: those common to all lists, its filters and its columns."""
    yield from LIST_PARAMETERS
    for each in page.list_filter:
        yield each.parameter_name if isinstance(each, type) else f"{each}__exact"
    yield from (f"{field.name}__exact" for field in page.model._meta.concrete_fields)
    yield f"{page.model._meta.pk.name}__in"


def list_address(page: ModelAdmin) -> str:
    return reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")


def encoded(name: str, value: str) -> str:
    return f"{name}={quote(value, errors='surrogateescape')}"


def assert_answered(response: HttpResponseBase, address: str) -> None:
    assert response.status_code < 500, address[:200]


@pytest.mark.parametrize("page", lists(), ids=list_address)
def test_admin_list_refuses_nul_in_its_address(staff, page):
    address = list_address(page)
    asked = [f"{address}?{encoded(name, value)}" for name in parameters(page) for value in NUL_VALUES]
    asked += [f"{address}?%00=1", f"{address}?a=1&%00", f"{address}%00/change/", f"{address}1%00/delete/"]
    asked += [f"{address}%00/history/", f"{address}%00/", f"{address}%00"]
    for each in asked:
        assert staff.get(each).status_code == 400, each
        assert staff.post(each).status_code == 400, each


@pytest.mark.parametrize("page", lists(), ids=list_address)
def test_admin_list_answers_any_parameter(staff, page):
    address = list_address(page)
    for name in parameters(page):
        for value in ODD_VALUES:
            each = f"{address}?{encoded(name, value)}"
            assert_answered(staff.get(each), each)


@pytest.mark.parametrize("value", ODDER_VALUES)
def test_largest_admin_list_answers_odd_values(staff, value):
    for name in parameters(admin.site._registry[PriceJob]):
        each = f"/admin/pricing/pricejob/?{encoded(name, value)}"
        assert_answered(staff.get(each), each)


@pytest.mark.parametrize("page", lists(), ids=list_address)
def test_admin_page_of_a_row_answers_any_number(staff, page):
    for value in ODD_VALUES:
        for leaf in ("", "change/", "delete/", "history/"):
            each = f"{list_address(page)}{quote(value, errors='surrogateescape')}/{leaf}"
            assert_answered(staff.get(each), each)
            assert_answered(staff.post(each), each)


@pytest.mark.parametrize("name", ["_selected_action", "index", "action", "select_across", "post"])
@pytest.mark.parametrize("model", ["user", "group"])
def test_admin_action_answers_any_choice(staff, model, name):
    right = {"action": "delete_selected", "_selected_action": "1", "index": "0"}
    for value in (*NUL_VALUES, *ODD_VALUES):
        given = {**right, name: value.encode("utf-8", "surrogateescape")}
        assert_answered(staff.post(f"/admin/auth/{model}/", given), value)


def test_admin_autocomplete_answers_anything(staff):
    right = {"app_label": "auth", "model_name": "user", "field_name": "groups", "term": "a"}
    for name in right:
        for value in ODD_VALUES:
            query = "&".join(encoded(each, value if each == name else given) for each, given in right.items())
            assert_answered(staff.get(f"/admin/autocomplete/?{query}"), query)
        assert staff.get("/admin/autocomplete/?" + urlencode({**right, name: "\x00"})).status_code == 400


@pytest.mark.parametrize("where", ["{}?%00", "{}?a=%00", "{}?%00=a", "{}?a=1&b=x%00y"])
def test_every_route_refuses_nul_in_its_query(client, where):
    words = {"app_label": "auth", "url": "nothing", "key": "abc", "uidb36": "1", "object_id": "1", "id": "1"}
    words |= dict.fromkeys(("copy_id", "discogs_id", "run_id", "session_id", "content_type_id"), "1")
    for route in routes():
        assert client.get(where.format(route.address(words))).status_code == 400, route.label
        assert client.post(where.format(route.address(words))).status_code == 400, route.label


@pytest.mark.parametrize("path", ["/%00", "/admin/%00/", "/release/1%00/", "/static/%00", "/nothing%00here"])
def test_any_path_with_nul_is_refused(client, path):
    assert client.get(path).status_code == 400


@pytest.mark.parametrize("name", ["sessionid", "csrftoken", "messages", "other"])
def test_cookie_with_nul_is_refused(client, name):
    """A browser cannot send a raw NUL in a cookie, but it can send a quoted octal escape."""
    client.force_login(make.make_connection().user)
    assert client.get("/dashboard/", headers={"Cookie": f'{name}="\\000abcdefgh"'}).status_code == 400


def test_escaped_percent_sign_is_no_nul(client):
    client.force_login(make.make_connection().user)
    assert client.get("/collection/?q=%2500").status_code == 200
