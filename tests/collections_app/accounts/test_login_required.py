"""What a page does whose session has ended: everything on it leads through the login page back to it."""

from urllib.parse import parse_qs, urlsplit

import pytest

pytestmark = pytest.mark.django_db
PAGE = "/dashboard/?range=1m"
LIVE = ("/dashboard/headline/", "/syncs/bar/", "/syncs/1/progress/", "/admin/pricing/workerheartbeat/engine/")
BUTTONS = ("/settings/amounts/", "/syncs/start/", "/syncs/1/cancel/", "/connect/discogs/", "/export/")
ELSEWHERE = (
    "",
    "null",
    "dashboard",
    "https://evil.example/dashboard/",
    "http://testserver.evil.example/",
    "http://testserver@evil.example/",
    "http://testserver//evil.example/",
    "http://[",
    "//evil.example/",
    "javascript:alert(1)",
)


def next_of(address: str) -> str:
    parts = urlsplit(address)
    assert (parts.netloc, parts.path) == ("", "/account/login/")
    return parse_qs(parts.query)["next"][0]


def poll(client, address: str, page: str):
    return client.get(address, headers={"HX-Request": "true", "HX-Current-URL": page})


@pytest.mark.parametrize("address", LIVE)
def test_live_part_sends_page_to_login(client, address):
    response = poll(client, address, f"http://testserver{PAGE}")
    assert (response.status_code, response.content) == (200, b"")
    assert next_of(response["HX-Redirect"]) == PAGE


@pytest.mark.parametrize("address", BUTTONS)
def test_button_returns_to_its_page_after_login(client, address):
    response = client.post(address, headers={"Referer": f"http://testserver{PAGE}"})
    assert response.status_code == 302
    assert next_of(response.url) == PAGE


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_foreign_page_becomes_the_dashboard(client, elsewhere):
    assert next_of(poll(client, LIVE[0], elsewhere)["HX-Redirect"]) == "/dashboard/"
    assert next_of(client.post(BUTTONS[0], headers={"Referer": elsewhere}).url) == "/dashboard/"


def test_missing_origin_becomes_the_dashboard(client):
    assert next_of(client.get(LIVE[0], headers={"HX-Request": "true"})["HX-Redirect"]) == "/dashboard/"
    assert next_of(client.post(BUTTONS[0]).url) == "/dashboard/"


def test_page_returns_after_login(client):
    assert next_of(client.get(PAGE, headers={"Referer": "http://testserver/syncs/"}).url) == PAGE
