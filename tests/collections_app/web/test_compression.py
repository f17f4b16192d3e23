"""Compression: of the pages that list data, for requests that no other site can have caused."""

import gzip

import pytest
from django.urls import reverse
from django.utils import timezone

from tests import factories as make
from tests.accounts import force_login_with_code

pytestmark = pytest.mark.django_db
GZIP = {"Accept-Encoding": "gzip, deflate, br"}
COPIES = 60
MAX_BYTES = 30_000


@pytest.fixture
def reader(client):
    """A client whose user has more copies than one page of the list shows."""
    connection = make.make_connection()
    make.fill_collection(connection, COPIES, now=timezone.now())
    client.force_login(connection.user)
    return client


@pytest.mark.parametrize("name", ["dashboard", "collection", "syncs"])
def test_page_is_compressed(reader, name):
    plain = reader.get(reverse(name))
    assert "Content-Encoding" not in plain.headers
    packed = reader.get(reverse(name), headers=GZIP)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) == len(packed.content) < MAX_BYTES
    assert b"</html>" in gzip.decompress(packed.content)
    assert {"Accept-Encoding", "Cookie", "Sec-Fetch-Site"} <= set(packed.headers["Vary"].split(", "))
    assert "no-store" in packed.headers["Cache-Control"]
    assert "Content-Security-Policy" in packed.headers


def test_head_of_a_compressed_page_has_no_body(reader):
    response = reader.head(reverse("collection"), headers=GZIP)
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.content == b""


def test_equal_pages_differ_in_length(reader):
    lengths = {len(reader.get(reverse("syncs"), headers=GZIP).content) for _ in range(12)}
    assert len(lengths) > 1


@pytest.mark.parametrize(
    ("site", "secure", "is_compressed"),
    [
        ("same-origin", True, True),
        ("none", True, True),
        ("same-site", True, False),
        ("cross-site", True, False),
        ("made up", True, False),
        (None, True, False),
        ("cross-site", False, False),
        (None, False, True),
    ],
)
def test_only_own_requests_are_compressed(reader, site, secure, is_compressed):
    fetched = {} if site is None else {"Sec-Fetch-Site": site}
    response = reader.get(reverse("collection"), secure=secure, headers={**GZIP, **fetched})
    assert ("Content-Encoding" in response.headers) is is_compressed
    assert "Sec-Fetch-Site" in response.headers["Vary"]


@pytest.mark.parametrize("name", ["settings", "connect", "account_email", "account_logout", "export"])
def test_page_with_secrets_or_stream_is_plain(reader, name):
    response = reader.get(reverse(name), headers=GZIP)
    assert response.status_code == 200
    assert "Content-Encoding" not in response.headers


def test_admin_and_two_factor_pages_are_plain(client, make_staff):
    force_login_with_code(client, make_staff("boss"))
    for name in ("admin:index", "mfa_view_recovery_codes", "mfa_index"):
        response = client.get(reverse(name), headers=GZIP)
        assert "Content-Encoding" not in response.headers, name


def test_public_pages_are_plain_except_the_first(client):
    for name in ("account_login", "account_signup"):
        assert "Content-Encoding" not in client.get(reverse(name), headers=GZIP).headers
    assert client.get(reverse("landing"), headers=GZIP).headers["Content-Encoding"] == "gzip"
