"""Odd bodies: cut, too large, encoded wrongly, or no JSON of a release."""

import gzip
import io
import json

import pytest
from requests.exceptions import ChunkedEncodingError, ConnectionError, ReadTimeout

from collections_app.discogs import errors
from collections_app.discogs.client import MAX_BYTES
from collections_app.models import ApiGate
from tests.collections_app.discogs.client.conftest import PAYLOAD, TOKEN

pytestmark = pytest.mark.django_db

RELEASE = {"id": 7, "lowest_price": 5.25, "num_for_sale": 2}
GOOD = json.dumps(RELEASE).encode()


class Broken(io.RawIOBase):
    """Half a body, then the error of a connection that ended."""

    def __init__(self, error: Exception) -> None:
        self._parts = [GOOD[:10]]
        self._error = error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        if not self._parts:
            raise self._error
        part = self._parts.pop()
        buffer[: len(part)] = part
        return len(part)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (ConnectionError(TOKEN), errors.NetworkError),
        (ReadTimeout(TOKEN), errors.NetworkError),
        (ChunkedEncodingError(TOKEN), errors.NetworkError),
    ],
)
def test_no_answer_is_a_network_error(discogs, refusal, body, error):
    refusal(error, discogs.answers(body=body).release_market, 7)
    assert ApiGate.objects.get().faults_in_a_row == 1


@pytest.mark.parametrize("end", [ConnectionResetError(TOKEN), TimeoutError(TOKEN), OSError(TOKEN)])
@pytest.mark.parametrize("status", [200, 302, 404, 500])
def test_connection_that_ends_in_the_body(discogs, refusal, status, end):
    body = io.BufferedReader(Broken(end))
    client = discogs.answers(status=status, body=body, headers={"Location": "/releases/8"})
    refusal(errors.NetworkError, client.release_market, 7)


def test_content_length_beyond_body_is_refused(discogs, refusal):
    client = discogs.answers(body=GOOD, headers={"Content-Length": str(len(GOOD) + 5)})
    refusal(errors.NetworkError, client.release_market, 7)


@pytest.mark.parametrize("length", ["abc", "-1", ""])
def test_content_length_of_garbage_is_ignored(discogs, length):
    assert (
        discogs.answers(body=GOOD, headers={"Content-Length": length}).release_market(7).amount_minor == 525
    )


@pytest.mark.parametrize("size", [MAX_BYTES + 1, 3 * MAX_BYTES])
@pytest.mark.parametrize("status", [200, 404, 500])
def test_body_above_the_limit_is_refused(discogs, refusal, status, size):
    client = discogs.answers(status=status, body=b" " * size)
    refusal(errors.BadPayload, client.release_market, 7)


def test_body_at_the_limit_is_read(discogs):
    assert discogs.answers(body=GOOD.ljust(MAX_BYTES)).release_market(7).amount_minor == 525


def test_gzip_that_unpacks_too_large_is_refused(discogs, refusal):
    body = gzip.compress(b" " * (MAX_BYTES + 1))
    client = discogs.answers(body=body, headers={"Content-Encoding": "gzip"})
    refusal(errors.BadPayload, client.release_market, 7)


def test_gzip_is_unpacked(discogs):
    client = discogs.answers(body=gzip.compress(GOOD), headers={"Content-Encoding": "gzip"})
    assert client.release_market(7).amount_minor == 525


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b"not gzip"),
        ("gzip", GOOD),
        ("gzip", gzip.compress(GOOD)[:-12]),
        ("gzip", b""),
        ("deflate", b"\x00\x01\x02"),
        ("identity, gzip", b"neither"),
        ("unknown", b"\x00"),
    ],
)
def test_body_that_cannot_be_decoded(discogs, refusal, encoding, body):
    client = discogs.answers(body=body, headers={"Content-Encoding": encoding})
    refusal(errors.BadPayload, client.release_market, 7)


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + GOOD,
        GOOD.decode().encode("utf-16"),
        GOOD.decode().encode("utf-16-le"),
        GOOD.decode().encode("utf-32"),
        b" \r\n\t" + GOOD + b"\n\n",
        b'{"lowest_price": 1, "id": 7, "id": 7, "lowest_price": 5.25}',  # the last of equal keys counts
    ],
    ids=["bom", "utf-16", "utf-16-le", "utf-32", "space", "duplicate"],
)
def test_json_in_odd_form_is_read(discogs, body):
    assert discogs.answers(body=body).release_market(7).amount_minor == 525


@pytest.mark.parametrize(
    "body",
    [
        "",
        " ",
        "null",
        "true",
        "7",
        f'"{PAYLOAD}"',
        "[]",
        f'["{PAYLOAD}"]',
        "{}",
        '{"id": 7',
        '{"id": 7}}',
        '{"id": 7} {"id": 7}',
        "{'id': 7}",
        '{"id": 7,}',
        b'{"id": 7, "title": "\xff\xfe"}',
        b"\x00" * 40,
        '{"id": 7, "lowest_price": NaN, "num_for_sale": 1}',
        '{"id": 7, "lowest_price": Infinity, "num_for_sale": 1}',
        '{"id": 7, "lowest_price": -Infinity, "num_for_sale": 1}',
        '{"id": 7, "lowest_price": 1e400, "num_for_sale": 1}',
        '{"id": 7, "lowest_price": 1e-400, "num_for_sale": 1}',
        '{"id": 7, "lowest_price": 1e-99999999999999999999, "num_for_sale": 1}',
        '{"id": 7, "lowest_price": 0, "num_for_sale": 1}',
        '{"id": 7, "lowest_price": -5, "num_for_sale": 1}',
        '{"id": 7, "lowest_price": "5.25", "num_for_sale": 1}',
        '{"id": 7, "lowest_price": true, "num_for_sale": 1}',
        '{"id": 7, "lowest_price": [5], "num_for_sale": 1}',
        '{"id": 7, "lowest_price": 5, "num_for_sale": 1.5}',
        '{"id": 7, "lowest_price": 5, "num_for_sale": -1}',
        '{"id": 7, "lowest_price": 5, "num_for_sale": 9000000000}',
        '{"id": 7, "lowest_price": 5, "num_for_sale": ' + "9" * 5000 + "}",
        '{"id": 8, "lowest_price": 5, "num_for_sale": 1}',
        '{"id": "7", "lowest_price": 5, "num_for_sale": 1}',
        '{"id": 7, "lowest_price": 5, "extra": ' + "[" * 200_000 + "}",
        '{"id": 7, "lowest_price": 5, "extra": ' + '{"a":' * 200_000 + "}",
    ],
    ids=lambda body: repr(body)[:24],
)
def test_body_that_is_no_release_is_refused(discogs, refusal, body):
    refusal(errors.BadPayload, discogs.answers(body=body).release_market, 7)
