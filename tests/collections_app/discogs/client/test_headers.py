"""Odd headers of an answer: media types, Retry-After, the rate limit."""

import json
from datetime import timedelta
from email.utils import format_datetime

import pytest
from django.utils import timezone

from collections_app.discogs import errors
from collections_app.models import ApiGate
from tests.collections_app.discogs.client.conftest import PAYLOAD, TOKEN

pytestmark = pytest.mark.django_db

RELEASE = {"id": 7, "lowest_price": 5.25, "num_for_sale": 2}
GOOD = json.dumps(RELEASE).encode()
MESSAGE = json.dumps({"message": f"{PAYLOAD} {TOKEN}"})
PAGE = f"<!DOCTYPE html><html><title>{PAYLOAD}</title><h1>{TOKEN}</h1></html>"
HTML = "text/html; charset=UTF-8"


@pytest.mark.parametrize(
    ("content_type", "error"),
    [
        ("application/json; charset=utf-8", errors.NotFound),
        ("application/vnd.discogs.v2.discogs+json", errors.NotFound),
        ("Application/JSON", errors.NotFound),
        ("text/plain", errors.ServerError),
        ("image/png", errors.ServerError),
        ("", errors.ServerError),
    ],
)
def test_404_counts_only_as_json(discogs, refusal, content_type, error):
    refusal(error, discogs.answers(status=404, body=MESSAGE, content_type=content_type).release_market, 7)


@pytest.mark.parametrize("content_type", ["TEXT/HTML", "Text/Html; Charset=UTF-8", "application/xhtml+xml"])
def test_page_is_known_in_any_case(discogs, refusal, content_type):
    client = discogs.answers(status=410, body=PAGE, content_type=content_type)
    refusal(errors.ServerError, client.release_market, 7)


@pytest.mark.parametrize("content_type", ["Text/Plain", "text/plain; charset=utf-8"])
def test_plain_401_is_known_in_any_case(discogs, refusal, content_type):
    client = discogs.answers(status=401, body="Invalid consumer.", content_type=content_type)
    refusal(errors.ConsumerRejected, client.release_market, 7)


@pytest.mark.parametrize(
    "content_type", ["text/html", "text/plain", "application/octet-stream", "", "nonsense"]
)
def test_200_is_read_whatever_its_type(discogs, content_type):
    client = discogs.answers(body=GOOD, content_type=content_type)
    assert client.release_market(7).amount_minor == 525


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("1", 1),
        ("007", 7),
        (" 30 ", 30),
        ("86400", 86_400),
        ("9" * 20, float("9" * 20)),
        ("9" * 41, None),
        ("-1", None),
        ("+5", None),
        ("1.5", None),
        ("1e3", None),
        ("1_0", None),
        ("٣", None),
        ("²", None),
        ("NaN", None),
        ("inf", None),
        ("5, 7", None),
        ("5 seconds", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Thu, 32 Jan 2026 00:00:00 GMT", None),
        ("Thu, 01 Jan 2026 00:00:00 -0000", None),
        ("2026-01-01T00:00:00Z", None),
        (",", None),
        ("", None),
    ],
)
def test_retry_after_as_number_or_nothing(discogs, refusal, value, seconds):
    client = discogs.answers(status=429, body=MESSAGE, headers={"Retry-After": value})
    assert refusal(errors.RateLimited, client.release_market, 7).retry_after == seconds


def test_retry_after_as_date_is_seconds(discogs, refusal):
    at = timezone.now() + timedelta(seconds=90)
    client = discogs.answers(status=429, headers={"Retry-After": format_datetime(at, usegmt=True)})
    assert 80 < refusal(errors.RateLimited, client.release_market, 7).retry_after <= 90


@pytest.mark.parametrize("value", [None, "0", "9" * 39, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_retry_after_pauses_within_limits(discogs, refusal, value):
    headers = {"Retry-After": value} if value else {}
    refusal(errors.RateLimited, discogs.answers(status=429, headers=headers).release_market, 7)
    assert 0 < discogs.client._gate.status().paused_seconds <= 24 * 3600


@pytest.mark.parametrize(
    ("limit", "used", "told"),
    [
        ("60", "1", 60),
        ("25", "24", 25),
        ("60", None, 60),
        (None, "1", None),
        ("0", "0", None),
        ("-60", "-1", None),
        ("60, 60", "1, 1", None),  # sent twice
        ("٦٠", "٣", None),
        ("６０", "１", None),
        ("²", "²", None),
        ("60.0", "1.0", None),
        ("6e1", "1e0", None),
        ("1_0", "1_0", None),
        ("9999999", "9999999", None),
        ("", "", None),
    ],
)
def test_rate_limit_needs_ascii_digits(discogs, limit, used, told):
    names = {"X-Discogs-Ratelimit": limit, "X-Discogs-Ratelimit-Used": used}
    headers = {name: value for name, value in names.items() if value is not None}
    discogs.answers(body=GOOD, headers=headers).release_market(7)
    assert ApiGate.objects.get().told_limit == told


def test_rate_headers_that_lag_slow_nothing(discogs):
    discogs.answers(body=GOOD, headers={"X-Discogs-Ratelimit": "100000", "X-Discogs-Ratelimit-Used": "3"})
    discogs.client.release_market(7)
    row = ApiGate.objects.get()
    assert (row.told_limit, row.foreign_use) == (None, 0)
