"""Each status has its error, as JSON and as a page."""

import json

import pytest

from collections_app.discogs import errors
from tests.collections_app.discogs.client.conftest import PAYLOAD, TOKEN

pytestmark = pytest.mark.django_db

MESSAGE = json.dumps({"message": f"{PAYLOAD} {TOKEN}"})
PAGE = f"<!DOCTYPE html><html><title>{PAYLOAD}</title><h1>{TOKEN}</h1></html>"
HTML = "text/html; charset=UTF-8"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        *((status, errors.BadPayload) for status in (102, 103, 201, 202, 203, 204, 205, 206, 207, 226)),
        *((status, errors.BadPayload) for status in (300, 301, 302, 303, 304, 305, 307, 308)),
        (400, errors.RequestRefused),
        (401, errors.CredentialsRejected),
        (402, errors.RequestRefused),
        (403, errors.AccessDenied),
        (404, errors.NotFound),
        *((status, errors.RequestRefused) for status in (405, 406, 407, 409, 410, 411, 412, 413, 414, 415)),
        (408, errors.ServerError),
        *((status, errors.RequestRefused) for status in (416, 417, 418, 421, 422, 423, 424, 425, 426, 428)),
        (429, errors.RateLimited),
        *((status, errors.RequestRefused) for status in (431, 451, 499)),
        *((status, errors.ServerError) for status in (500, 501, 502, 503, 504, 505, 507, 508, 511, 599)),
        *((status, errors.ServerError) for status in range(520, 531)),
        *((status, errors.ServerError) for status in (600, 999)),
    ],
)
def test_status_with_json_has_its_error(discogs, refusal, status, error):
    body = "" if status < 200 or status in {204, 304} else MESSAGE  # these have none
    refusal(error, discogs.answers(status=status, body=body).release_market, 7)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (200, errors.BadPayload),
        (202, errors.BadPayload),  # a challenge that asks for JavaScript
        (302, errors.BadPayload),
        *((status, errors.ServerError) for status in (400, 401, 403, 404, 405, 408, 409, 410, 418, 451)),
        (429, errors.RateLimited),
        *((status, errors.ServerError) for status in (500, 502, 503, 504, *range(520, 531))),
    ],
)
def test_status_with_page_has_its_error(discogs, refusal, status, error):
    client = discogs.answers(status=status, body=PAGE, content_type=HTML)
    refusal(error, client.release_market, 7)
