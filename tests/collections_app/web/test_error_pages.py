"""Requests that cannot be answered as asked: a page in the site's style, every header, one short line in the log."""

import logging

import pytest
from django.conf import settings as django_settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from collections_app.web.log_lines import OneLineEach, ShortLines
from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as site_patterns
from tests.headers import assert_secure
from tests.static import plain_static_files
from tests.wsgi import Answer, call

__all__ = ["handler400", "handler403", "handler404", "handler500", "plain_static_files"]
pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
COOKIE = f"csrftoken={'a' * 32}"


@pytest.fixture(autouse=True)
def lines() -> list[str]:
    """What the log of the site would hold."""
    found: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(self.format(record))

    handler = Handler()
    handler.addFilter(OneLineEach())
    handler.setFormatter(ShortLines("%(message)s"))
    logging.getLogger().addHandler(handler)
    yield found
    logging.getLogger().removeHandler(handler)


def assert_refused(answer: Answer, lines: list[str], status: int = 400) -> None:
    assert answer.status == status
    assert_secure(answer.headers)
    assert '<link rel="stylesheet" href="/static/css/site.css">' in answer.text
    assert "Nothing was changed" in answer.text
    assert len("\n".join(lines)) < 250
    assert sum(line.count("\n") for line in lines) == 0


CHARSETS = ["utf-16", "utf-7", "idna", "punycode", "undefined", "rot13", "zlib", "unicode_escape", "latin-1"]
NO_CHARSETS = ["utf8", "no-such", "é", "x" * 7000, "a\x00b", "../../x", "'", '"utf-16"']


@pytest.mark.parametrize("charset", CHARSETS + NO_CHARSETS, ids=lambda name: ascii(name)[:20])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("kind", [FORM, MULTIPART, "text/plain"])
def test_charset_that_is_not_utf_8_is_400(lines, charset, method, kind):
    answer = call(
        "/account/login/",
        method=method,
        body="login=\ud800x".encode("utf-16", "surrogatepass") * 10,
        CONTENT_TYPE=f"{kind}; charset={charset}",
        HTTP_COOKIE=COOKIE,
    )
    assert_refused(answer, lines)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain; charset*=no-such''x",
        "text/plain; charset*=undefined''x",
        "text/plain; charset*=utf-16''x",
        "text/plain; x*=no-such''x",
        "multipart/form-data; boundary*=no-such''x",
        "text/plain; charset*0=utf; charset*1=-16",
    ],
)
def test_malformed_content_type_is_400(lines, content_type):
    answer = call(
        "/account/login/", method="POST", body=b"a=1", CONTENT_TYPE=content_type, HTTP_COOKIE=COOKIE
    )
    assert_refused(answer, lines)


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"'])
def test_charset_utf_8_is_read(make_user, charset):
    make_user("someone")
    answer = Client().post(
        "/account/login/", "login=someone&password=a-long-password", content_type=f"{FORM}; charset={charset}"
    )
    assert (answer.status_code, answer["Location"]) == (302, "/dashboard/")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=", b""),
        ("multipart/form-data; boundary=é", b"--\xc3\xa9"),
        (f"multipart/form-data; boundary={'b' * 5000}", b"x"),
        ("multipart/form-data; boundary=b c\r\nd", b"x"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_broken_multipart_is_400(lines, content_type, body):
    answer = call("/account/login/", method="POST", body=body, CONTENT_TYPE=content_type, HTTP_COOKIE=COOKIE)
    assert_refused(answer, lines)


@pytest.mark.parametrize(
    "body",
    [
        b'--b\r\nContent-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n\r\n!\r\n--b--',
        b"--b",
        b"--b\r\n",
        b"x" * 900,
        b"--b\r\nContent-Disposition: form-data; name*=no-such''a\r\n\r\nx\r\n--b--\r\n",
        b"--b\r\nContent-Disposition: form-data; name=\"a\"; x*=undefined''%ff\r\n\r\nx\r\n--b--\r\n",
        b"--b\r\nContent-Type: text/plain; charset=utf-16\r\n\r\nx\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n\x00\xff\r\n--b--\r\n',
    ],
    ids=lambda value: ascii(value)[:60],
)
def test_odd_multipart_has_no_token(lines, body):
    answer = call("/account/login/", method="POST", body=body, CONTENT_TYPE=MULTIPART, HTTP_COOKIE=COOKIE)
    assert_refused(answer, lines, 403)


@pytest.mark.parametrize("host", ["evil.example", "", "a b", "[", "localhost:x", "é", "a\x00", "x" * 8000])
@pytest.mark.parametrize("https", [False, True])
def test_bad_host_is_400(lines, settings, host, https):
    settings.SECURE_SSL_REDIRECT = https
    for method in ("GET", "POST"):
        lines.clear()
        assert_refused(call("/", method=method, HTTP_HOST=host), lines)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing", 404),
        ("/%ff", 404),
        ("/\xff\xfe", 404),
        ("/a%00b/", 404),
        ("/release/1\x00/", 400),
        ("/" + "x" * 3900, 404),
        ("//evil", 404),
    ],
)
def test_odd_path_is_refused(lines, path, status):
    assert_refused(call(path), lines, status)


@pytest.mark.parametrize(
    "path", ["/admin/auth/user/1\x00/change/", "/admin/pricing/\x00/", "/static/\x00.css"]
)
def test_nul_in_a_path_of_staff_is_400(client, make_staff, path):
    client.force_login(make_staff())
    session = f"sessionid={client.cookies['sessionid'].value}"
    assert call(path, HTTP_COOKIE=session).status == 400


@pytest.mark.parametrize("query", ["%ff=%fe", "a=%", "&&&", "a=" + "x" * 7000, "%uD800", "a=1;b=2"])
def test_odd_query_is_answered(query):
    assert call(f"/?{query}").status == 200


def test_nul_in_a_query_is_400(lines):
    assert_refused(call("/?%00"), lines)


@pytest.mark.parametrize(
    "cookie",
    ['sessionid="aaaaaaaaaa\\000bbbbbbbbbb"', 'csrftoken="a\\000"', 'messages="\\000"'],
)
def test_nul_in_a_cookie_is_400(lines, cookie):
    assert_refused(call("/", HTTP_COOKIE=cookie), lines)


@pytest.mark.parametrize(
    "cookie",
    [
        "sessionid=" + "a" * 100_000,
        "sessionid=é" * 20,
        "messages=\x01; sessionid=;;; =x",
        "a=b;" * 25_000,
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_odd_cookies_mean_logged_out(cookie):
    assert call("/", HTTP_COOKIE=cookie).status == 200
    assert call("/dashboard/", HTTP_COOKIE=cookie).status == 302


@pytest.mark.parametrize(
    "header",
    [
        "HTTP_REFERER",
        "HTTP_USER_AGENT",
        "HTTP_ACCEPT_LANGUAGE",
        "HTTP_HX_CURRENT_URL",
        "HTTP_IF_MODIFIED_SINCE",
        "HTTP_ORIGIN",
    ],
)
@pytest.mark.parametrize(
    "value", ["\x00", "é\xff", "x" * 100_000, "http://[", "%ff"], ids=lambda value: ascii(value)[:12]
)
def test_odd_headers_are_answered(header, value):
    for method in ("GET", "POST"):
        answer = call(
            "/account/login/", method=method, HTTP_HX_REQUEST="true", HTTP_COOKIE=COOKIE, **{header: value}
        )
        assert answer.status in {200, 403}
        assert_secure(answer.headers)


@pytest.mark.parametrize("method", ["TRACE", "FOO", "CONNECT", "é", "", "g e t"])
def test_odd_methods_are_refused(method):
    for address in ("/", "/dashboard/", "/account/login/", "/admin/"):
        answer = call(address, method=method, HTTP_COOKIE=COOKIE)
        assert 300 <= answer.status < 500
        assert_secure(answer.headers, f"{method} {address}")


# Pages that read nothing of the request ---------------------------------------------------------------


def broken(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError


def refused(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


urlpatterns = [path("broken/", broken), path("refused/", refused), *site_patterns]


@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.parametrize(("address", "status"), [("/broken/", 500), ("/refused/", 403), ("/nothing/", 404)])
def test_error_pages_ask_no_database(client, make_user, django_assert_max_num_queries, address, status):
    client.force_login(make_user())
    client.raise_request_exception = False
    with django_assert_max_num_queries(6):  # the session, the user, last seen
        answer = client.get(address)
    assert answer.status_code == status
    assert_secure(answer.headers)
    assert "no-store" in answer["Cache-Control"]
    assert "Crateworth" in answer.content.decode()


@override_settings(ROOT_URLCONF=__name__)
def test_code_fault_keeps_its_traceback(client, make_user, lines):
    client.force_login(make_user())
    client.raise_request_exception = False
    client.get("/broken/")
    assert "ZeroDivisionError" in "\n".join(lines)


REFUSED_FORMS = [
    ({"HTTP_ORIGIN": "https://a.example:8443"}, "https://a.example:8443, an address this site does not know"),
    ({"HTTP_ORIGIN": "null"}, "did not say which site"),
    ({"HTTP_ORIGIN": "<b>x</b>"}, "&lt;b&gt;x&lt;/b&gt;"),
    ({"HTTP_ORIGIN": "https://" + "a" * 5000}, "a" * 100),
    ({"HTTP_ORIGIN": "http://localhost"}, "cookies are blocked"),
    ({"HTTP_ORIGIN": "http://localhost", "HTTP_COOKIE": COOKIE}, "The form has expired"),
    ({"wsgi.url_scheme": "https"}, "did not say which site"),
]


@pytest.mark.parametrize(("headers", "sentence"), REFUSED_FORMS, ids=lambda value: str(value)[:40])
def test_csrf_page_says_which_check_failed(headers, sentence):
    answer = call("/account/login/", method="POST", CONTENT_TYPE=FORM, **headers)
    assert answer.status == 403
    assert sentence in answer.text
    assert "Nothing was changed" in answer.text
    assert len(answer.text) < 10_000


@pytest.mark.parametrize(
    ("origin", "status"), [("https://localhost:8443", 200), ("https://localhost:9", 403)]
)
def test_form_behind_another_port(settings, origin, status):
    """A proxy leaves the port out of the Host header; the operator has written it in ALLOWED_HOSTS."""
    settings.CSRF_TRUSTED_ORIGINS = ["https://localhost:8443"]
    client = Client(enforce_csrf_checks=True, SERVER_NAME="localhost")
    token = client.get("/account/login/", secure=True).cookies["csrftoken"].value
    form = {"csrfmiddlewaretoken": token}
    assert client.post("/account/login/", form, secure=True, HTTP_ORIGIN=origin).status_code == status


def test_settings_name_the_error_pages():
    assert django_settings.CSRF_FAILURE_VIEW == "collections_app.web.error_pages.csrf_failure"


def test_static_file_has_headers_and_is_cacheable(client, settings):
    settings.WHITENOISE_USE_FINDERS = True
    answer = client.get("/static/css/site.css")
    assert answer.status_code == 200
    assert_secure(answer.headers)
    assert "no-store" not in answer["Cache-Control"]
    assert "Access-Control-Allow-Origin" not in answer.headers
