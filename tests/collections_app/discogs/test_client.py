"""The client against a misbehaving Discogs: each fault comes out as its own error."""

import time

import pytest

from collections_app.discogs import client as client_module
from collections_app.discogs import errors
from collections_app.discogs.client import Credentials, DiscogsClient, new_session
from collections_app.discogs.gate import Gate
from collections_app.discogs.pace import Pace
from collections_app.models import ApiGate
from collections_app.sandbox.server import SandboxServer
from collections_app.sandbox.world.demo import DEMO_TOKEN

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(generous_sandbox) -> DiscogsClient:
    gate = Gate("test", Pace(limit=100_000, window=6))
    return DiscogsClient(Credentials.from_token(DEMO_TOKEN), gate=gate, session=new_session())


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "status", "status": 429}, errors.RateLimited),
        ({"kind": "status", "status": 500}, errors.ServerError),
        ({"kind": "status", "status": 520}, errors.ServerError),
        ({"kind": "status", "status": 401, "body": '{"message": "x"}'}, errors.CredentialsRejected),
        ({"kind": "status", "status": 422}, errors.RequestRefused),
        ({"kind": "status", "status": 405}, errors.RequestRefused),
        ({"kind": "status", "status": 204}, errors.BadPayload),
        ({"kind": "forbidden_html"}, errors.ServerError),
        ({"kind": "html"}, errors.BadPayload),
        ({"kind": "empty"}, errors.BadPayload),
        ({"kind": "cut"}, errors.BadPayload),
        ({"kind": "reset"}, errors.NetworkError),
        ({"kind": "big", "megabytes": 20}, errors.BadPayload),
        ({"kind": "gzip_bomb", "megabytes": 64}, errors.BadPayload),
        ({"kind": "redirect", "location": "http://127.0.0.1:1/elsewhere"}, errors.BadPayload),
    ],
    ids=lambda value: str(value.get("status") or value["kind"]) if isinstance(value, dict) else "",
)
def test_fault_has_its_error_and_next_call_works(client, generous_sandbox, fault, error):
    generous_sandbox.add_fault(path="/releases/", times=1, **fault)
    with pytest.raises(error):
        client.release_market(7)
    ApiGate.objects.update(paused_until=0)
    assert client.release_market(7).discogs_id == 7


def test_session_keeps_no_cookies(generous_sandbox):
    cookie = {"Set-Cookie": "session=of-another-user; Path=/"}
    generous_sandbox.add_fault(path="/releases/", kind="status", status=500, headers=cookie, times=1)
    session = new_session()
    with pytest.raises(errors.ServerError):
        DiscogsClient(Credentials.from_token(DEMO_TOKEN), session=session).release_market(7)
    assert not session.cookies


def test_missing_release_is_not_found(client, generous_sandbox):
    generous_sandbox.set_market(7, gone=True)
    with pytest.raises(errors.NotFound):
        client.release_market(7)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 421, 451])
def test_error_page_of_any_status_is_an_outage(client, generous_sandbox, status):
    page = {"content_type": "text/html; charset=UTF-8", "body": "<h1>Sorry</h1>"}
    generous_sandbox.add_fault(path="/releases/", kind="status", status=status, **page)
    with pytest.raises(errors.ServerError):
        client.release_market(7)
    assert ApiGate.objects.get().faults_in_a_row == 1


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", ""),
        ("application/json", "null"),
        ("application/json", '["no"]'),
        ("application/json", '{"message": null}'),
        ("application/json", '{"detail": "Not Found"}'),
        ("application/json", '{"message": "no"'),
        ("application/json", "[" * 100_000),
        ("text/html", '{"message": "no"}'),
        ("text/plain", "<html>no</html>"),
        ("text/plain", "no" * 200),
        ("", '{"message": "no"}'),
    ],
)
def test_refusal_of_another_shape_is_an_outage(client, generous_sandbox, status, content_type, body):
    fault = {"status": status, "content_type": content_type, "body": body}
    generous_sandbox.add_fault(path="/releases/", kind="status", **fault)
    with pytest.raises(errors.ServerError):
        client.release_market(7)


def test_plain_401_is_about_the_site(client, generous_sandbox):
    generous_sandbox.add_fault(
        path="/releases/", kind="status", status=401, content_type="text/plain", body="Invalid consumer."
    )
    with pytest.raises(errors.ConsumerRejected):
        client.release_market(7)


def test_redirect_is_never_followed(client, generous_sandbox):
    with SandboxServer() as other:
        generous_sandbox.add_fault(path="/releases/", kind="redirect", location=f"{other.url}/releases/7")
        with pytest.raises(errors.BadPayload):
            client.release_market(7)
        assert other.stats()["accepted"] == 0


def test_slow_body_is_cut_by_the_wall_clock(client, generous_sandbox, monkeypatch):
    monkeypatch.setattr(client_module, "DEADLINE", 0.4)
    generous_sandbox.add_fault(path="/releases/", kind="drip", interval=0.05)
    started = time.monotonic()
    with pytest.raises(errors.NetworkError):
        client.release_market(7)
    assert time.monotonic() - started < 5  # far from the minute and more of the drip


def test_private_collection_is_not_an_outage(client):
    with pytest.raises(errors.AccessDenied):
        client.collection_page("private_crate", 1)


def test_token_is_in_no_repr_and_no_error(client, generous_sandbox):
    generous_sandbox.add_fault(path="/releases/", kind="reset")
    with pytest.raises(errors.NetworkError) as caught:
        client.release_market(7)
    seen = f"{caught.value!r} {caught.value.__context__} {Credentials.from_token(DEMO_TOKEN)!r}"
    assert DEMO_TOKEN not in seen


def test_connections_are_kept_alive(client, generous_sandbox):
    for release in range(1, 31):
        try:
            client.release_market(release)
        except errors.NotFound:
            continue
    assert generous_sandbox.stats()["connections"] == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("9" * 50, None),
        ("1 Jan 99999999999 00:00:00 +0000", None),
    ],
)
def test_retry_after_is_read_or_ignored(client, generous_sandbox, value, seconds):
    generous_sandbox.add_fault(path="/releases/", kind="status", status=429, headers={"Retry-After": value})
    with pytest.raises(errors.RateLimited) as caught:
        client.release_market(7)
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("value", ["²", "-1", "NaN", "", "9" * 30, "1_0", "60.0"])
def test_odd_rate_headers_are_ignored(client, generous_sandbox, value):
    headers = {"X-Discogs-Ratelimit": value, "X-Discogs-Ratelimit-Used": value}
    body = '{"id": 7, "lowest_price": 5}'
    generous_sandbox.add_fault(path="/releases/", kind="status", status=200, headers=headers, body=body)
    assert client.release_market(7).amount_minor == 500
    assert ApiGate.objects.get().told_limit is None


def test_debug_log_omits_query_and_headers(client, generous_sandbox, caplog):
    caplog.set_level("DEBUG", client_module.__name__)
    client.release_market(7)
    generous_sandbox.add_fault(path="/releases/", kind="reset", times=1)
    with pytest.raises(errors.NetworkError):
        client.release_market(7)
    first, second = (record.getMessage() for record in caplog.records)
    assert first.startswith("GET /releases/7: 200 in ")
    assert second.startswith("GET /releases/7: no answer (")
