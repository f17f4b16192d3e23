"""Secrets that were used throughout the site are found nowhere where data is stored or shown.

One user connects with a personal access token, another by OAuth; both import and sync with real workers at the most
verbose log level. Then every table, queue row, session, cache entry, log, page, export and command line is searched.
"""

import base64
import json
import logging
import re
import zlib
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from collections_app.encryption import decrypt_text
from collections_app.models import DiscogsConnection
from pricing.models import SyncRun
from tests.accounts import force_login_with_code
from tests.processes import eventually

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

TOKEN, WRONG = "CanaryTokenThatIsGood0123456789", "CanaryTokenThatIsWrong0123456789"
BASE64 = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")


@pytest.fixture
def secrets(generous_sandbox) -> dict[str, str]:
    """The secrets that must not be found, by name; those issued by OAuth are added later."""
    generous_sandbox.add_user("canary_at_discogs", TOKEN, count=12, wants=[4001], seller_currency="EUR")
    return {"token": TOKEN, "wrong token": WRONG}


@pytest.fixture
def by_token(make_user, secrets) -> Client:
    browser = signed_in(make_user("canary"))
    browser.post("/connect/", {"token": WRONG})
    browser.post("/connect/", {"token": TOKEN})
    return browser


@pytest.fixture
def by_oauth(make_user, registered_site, generous_sandbox, secrets) -> Client:
    browser = signed_in(make_user("bird"))
    asked = parse_qs(urlsplit(browser.post("/connect/discogs/").context["address"]).query)["oauth_token"][0]
    verifier = generous_sandbox.authorise(asked, "small_shelf")
    # A second authorisation is started and abandoned: its secret is stored for ten minutes.
    browser.get("/connect/discogs/callback/", {"oauth_token": asked, "oauth_verifier": verifier})
    browser.post("/connect/discogs/")
    grants = generous_sandbox.world.grants
    for number, granted in enumerate(grants._access.values()):
        secrets |= {f"access token {number}": granted.token, f"access secret {number}": granted.secret}
    for number, request in enumerate(grants._requests.values()):
        secrets[f"request secret {number}"] = request.secret
    assert len(secrets) == 2 + 2 + 2
    return browser


def signed_in(user) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


@pytest.fixture
def logged(caplog):
    caplog.set_level(logging.DEBUG)
    return caplog


def test_secrets_are_in_no_store_log_or_page(  # noqa: PLR0917 fixtures
    logged, by_token, by_oauth, secrets, site, generous_sandbox, make_staff, tmp_path
):
    log = tmp_path / "workers.log"
    # Inject faults, because exceptions often leak secrets.
    for kind in ("html", "cut", "reset"):
        generous_sandbox.add_fault(path="/releases/", kind=kind, times=1)
    generous_sandbox.add_fault(path="/users/", kind="status", status=401, body='{"message": "no"}', times=1)
    keys = {"DISCOGS_CONSUMER_KEY": "sandbox-key", "DISCOGS_CONSUMER_SECRET": "sandbox-secret"}
    site.start("run_workers", log=log, LOG_LEVEL="DEBUG", **keys)
    words = eventually(lambda: command_lines("run_workers"), within=20, what="workers")
    eventually(lambda: not SyncRun.objects.active().exists(), within=90, what="the end of both syncs")
    assert DiscogsConnection.objects.filter(state="active").count() == 2
    rotated = site.run("rotate_credentials", LOG_LEVEL="DEBUG", **keys)
    chief = make_staff()
    staff = Client()
    force_login_with_code(staff, chief)
    sealed = Authenticator.objects.get(user=chief, type=Authenticator.Type.TOTP)
    secrets["two-factor secret"] = decrypt_text(sealed.data["secret"])

    places = {
        "database": dump(),
        "queue": "".join(repr(row.task) for row in OrmQ.objects.all()),
        "sessions": "".join(repr(row.get_decoded()) for row in Session.objects.all()),
        "workers' log": log.read_text(),
        "this process's log": "\n".join(
            record.getMessage() for phase in ("setup", "call") for record in logged.get_records(phase)
        ),
        "command": rotated.stdout + rotated.stderr,
        "command lines": words,
        **pages("the user of a token", by_token),
        **pages("the user of OAuth", by_oauth),
        **admin_pages(staff),
    }
    # The calls and the failures are logged, so there is something to search.
    assert "GET /releases/" in places["workers' log"]
    assert "again in" in places["workers' log"]
    assert "canary_at_discogs" in places["database"]
    found = [
        (place, name) for place, text in places.items() for name, secret in secrets.items() if secret in text
    ]
    assert found == []


def test_secret_search_finds_packed_data(make_user):
    """Sessions, cache entries and queue rows are packed, so a search of the raw rows would find nothing."""
    browser = signed_in(make_user())
    session = browser.session
    session["forgotten"] = TOKEN
    session.save()
    assert TOKEN in dump()


def dump() -> str:
    """Every row of every table as text, followed by the content of everything packed in base64, zlib or signatures."""
    texts = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            texts += [str(value) for row in cursor.fetchall() for value in row if value is not None]
    return "\n".join(texts + [unpacked(part) for text in texts for part in BASE64.findall(text)])


def unpacked(part: str) -> str:
    try:
        content = base64.urlsafe_b64decode(part.rstrip("=").replace("+", "-").replace("/", "_") + "===")
    except ValueError:
        return ""
    with suppress(zlib.error):
        content = zlib.decompress(content)
    return content.decode("utf-8", "replace")


def command_lines(word: str) -> str:
    """The command lines of all processes, or "" if none of them contains `word`."""
    lines = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    return "\n".join(lines) if any(word in line for line in lines) else ""


def pages(whose: str, browser: Client) -> dict[str, str]:
    run = SyncRun.objects.of(browser.session["_auth_user_id"]).latest("pk")
    release = run.items.first().release_id
    addresses = [
        reverse(name) for name in ("dashboard", "collection", "syncs", "settings", "connect", "export")
    ]
    addresses += [reverse("release", args=[release]), reverse("sync_run", args=[run.pk])]
    return {f"{address} of {whose}": text_of(browser, address) for address in addresses}


def admin_pages(staff: Client) -> dict[str, str]:
    found = {}
    for table in ("discogsconnection", "importpass", "preferences"):
        address = reverse(f"admin:collections_app_{table}_changelist")
        found[address] = text_of(staff, address)
    for row in DiscogsConnection.objects.all():
        address = reverse("admin:collections_app_discogsconnection_change", args=[row.pk])
        found[address] = text_of(staff, address)
        assert row.credential not in found[address]
    return found


def text_of(browser: Client, address: str) -> str:
    response = browser.get(address)
    assert response.status_code == 200, address
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return content.decode() + json.dumps(dict(response.headers))
