"""Health probes come from the machine itself: with its address as Host, over plain http."""

import pytest

from tests.headers import assert_secure
from tests.wsgi import call

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "10.0.0.7", "probe.internal", "a_b", "", None])
@pytest.mark.parametrize("https", [False, True])
def test_healthz_answers_whatever_host(settings, host, https):
    settings.ALLOWED_HOSTS = ["crates.example.org"]
    settings.SECURE_SSL_REDIRECT = https
    answer = call("/healthz", HTTP_HOST=host)
    assert (answer.status, answer.body) == (200, b"ok")
    assert_secure(answer.headers)


@pytest.mark.parametrize("path", ["/", "/healthz/", "/healthzx", "/account/login/"])
def test_other_pages_check_the_host(settings, path):
    settings.ALLOWED_HOSTS = ["crates.example.org"]
    assert call(path, HTTP_HOST="probe.internal").status == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_healthz_is_for_reading(method):
    assert call("/healthz", method=method).status == 405
