"""Redirects: refused wherever they lead, within the size limit."""

import io
import json

import pytest

from collections_app.discogs import errors
from collections_app.discogs.client import MAX_BYTES
from tests.collections_app.discogs.client.conftest import PAYLOAD, TOKEN

pytestmark = pytest.mark.django_db

MESSAGE = json.dumps({"message": f"{PAYLOAD} {TOKEN}"})


class Endless(io.RawIOBase):
    """A body without an end, and how much of it was read. It stops far above the limit, so that no test hangs."""

    sent = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        if self.sent > 10 * MAX_BYTES:
            return 0
        buffer[:] = b"x" * len(buffer)
        self.sent += len(buffer)
        return len(buffer)


@pytest.mark.parametrize(
    "location",
    [
        "https://discogs.test/releases/8",
        "//elsewhere.test/",
        "http://[",
        "http://[::1",
        "https://discogs.test:port/",
        "javascript:alert(1)",
        "\xff\xfe",
        "/" + "x" * 9000,
        "",
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_to_anything_is_refused(discogs, refusal, status, location):
    client = discogs.answers(status=status, body=MESSAGE, headers={"Location": location})
    refusal(errors.BadPayload, client.release_market, 7)
    assert len(discogs.mock.calls) == 1


def test_redirect_has_the_size_limit_too(discogs, refusal):
    endless = Endless()
    client = discogs.answers(status=302, body=io.BufferedReader(endless), headers={"Location": "/releases/8"})
    refusal(errors.BadPayload, client.release_market, 7)
    assert endless.sent < 2 * MAX_BYTES
