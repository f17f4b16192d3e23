"""Fuzzed answers on their way into the database: what is stored is valid, and no step of an import breaks."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import models, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collections_app.discogs.collection_payloads import (
    Rows,
    parse_copy_page,
    parse_fields,
    parse_folders,
    parse_want_page,
)
from collections_app.discogs.errors import BadPayload
from collections_app.discogs.json_values import parse_json
from collections_app.importing import store
from collections_app.importing.steps import import_step, start_import
from collections_app.models import (
    ApiGate,
    CollectionField,
    CollectionInstance,
    DiscogsConnection,
    Folder,
    ImportPass,
    Release,
    WantlistItem,
)
from collections_app.sandbox.server import SandboxServer
from pricing.models import PriceJob, PriceSnapshot, ReleasePrice
from pricing.sync.recorder import record_market
from tests import factories
from tests.collections_app.discogs.payload_fuzz import KINDS, RELEASE, mutated, parse_market

# The tables grow from example to example, as they do from page to page; nothing depends on what is there.
growing = settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
STORED = (Release, Folder, CollectionField, CollectionInstance, WantlistItem)


def assert_valid(*rows: models.Model) -> None:
    """Every column holds what it may hold, on either database. Discogs may call things by an empty name."""
    for row in rows:
        row.full_clean(exclude={"title", "name"}, validate_unique=False)


def parsed(parse: Any, body: bytes) -> Any:
    try:
        return parse(parse_json(body))
    except BadPayload:
        return None


@pytest.fixture
def import_pass(db) -> ImportPass:
    connection = factories.make_connection()
    return ImportPass.objects.create(connection=connection, started_at=timezone.now())


@growing
@given(
    folders=mutated(KINDS["folders"]),
    fields=mutated(KINDS["fields"]),
    copies=mutated(KINDS["copies"]),
    wants=mutated(KINDS["wants"]),
)
def test_stored_collection_is_valid(import_pass, folders, fields, copies, wants):
    for model in reversed(STORED):
        model.objects.all().delete()
    with transaction.atomic():
        store.store_folders(import_pass, (parsed(parse_folders, folders) or Rows(())).read)
        store.store_fields(import_pass, (parsed(parse_fields, fields) or Rows(())).read, are_all=True)
        copies_page, wants_page = parsed(parse_copy_page, copies), parsed(parse_want_page, wants)
        store.store_copies(import_pass, copies_page.copies.read if copies_page else (), now=timezone.now())
        store.store_wants(import_pass, wants_page.wants.read if wants_page else ())
    for model in STORED:
        assert_valid(*model.objects.all())
    if copies_page:
        assert CollectionInstance.objects.count() == len({one.instance_id for one in copies_page.copies.read})


@growing
@given(body=mutated(KINDS["market"]))
def test_stored_market_is_valid(import_pass, body):
    market = parsed(parse_market, body)
    if market is None:
        return
    now = timezone.now()
    release, _ = Release.objects.get_or_create(pk=RELEASE, defaults={"title": "Seven"})
    running = {"state": PriceJob.State.RUNNING, "lease_owner": uuid.uuid4(), "created_at": now}
    with transaction.atomic():
        job = PriceJob.objects.create(release=release, **running)
        assert record_market(job, market, duration_ms=40, requests=1, now=now)
    job.refresh_from_db()
    price, snapshot = ReleasePrice.objects.get(), PriceSnapshot.objects.get()
    assert_valid(job, price, snapshot)
    assert (price.status, price.amount_minor, price.currency) == (
        market.status,
        market.amount_minor,
        market.currency,
    )


COPIES = "/folders/0/releases"
ANSWERS = st.sampled_from(
    [
        ("/folders$", "folders"),
        ("/fields$", "fields"),
        (COPIES, "copies"),
        ("/wants", "wants"),
    ]
).flatmap(lambda pair: st.tuples(st.just(pair[0]), mutated(KINDS[pair[1]])))


@pytest.mark.django_db(transaction=True)
def test_no_answer_breaks_an_import(make_collector, generous_sandbox):
    user = make_collector(generous_sandbox, release_ids=[1, 2, 3], wants=[4])
    connection = user.discogs_connection

    @settings(max_examples=80)
    @given(answer=ANSWERS)
    def fuzz(answer: tuple[str, bytes]) -> None:
        path, body = answer
        import_pass = _import_past(generous_sandbox, connection, path, body.decode("utf-8", "replace"))
        assert import_pass.state == ImportPass.State.COMPLETE
        for model in STORED:
            assert_valid(*model.objects.all())
        assert_valid(import_pass)
        if path != COPIES:
            assert CollectionInstance.objects.filter(release__in=[1, 2, 3]).count() == 3

    fuzz()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("/folders$", '{"folders": [{"id": 0, "name": "All", "count": 2000000000}, %s, %s]}'),
        ("/fields$", '{"fields": [%s, %s]}'),
    ],
)
def test_repeated_row_is_stored_once(make_collector, generous_sandbox, path, rows):
    user = make_collector(generous_sandbox, release_ids=[1, 2, 3])
    twice = rows % ('{"id": 0, "name": "First", "count": 2000000000}', '{"id": 0, "name": "Second"}')
    import_pass = _import_past(generous_sandbox, user.discogs_connection, path, twice)
    stored = Folder if "folders" in path else CollectionField
    assert stored.objects.get(discogs_id=0).name == "Second"
    assert CollectionInstance.objects.count() == 3
    assert_valid(import_pass)


def _import_past(sandbox: SandboxServer, connection: DiscogsConnection, path: str, body: str) -> ImportPass:
    """A first import, of which one answer is this one."""
    for model in (ApiGate, ImportPass, *reversed(STORED)):
        model.objects.all().delete()
    sandbox.clear_faults()
    sandbox.add_fault(f"^/users/.*{path}", "body", body=body, times=1)
    return _import_all(connection)


def _import_all(connection: DiscogsConnection) -> ImportPass:
    """The import pass after its last step; a step that failed is tried again when its time has come."""
    now = timezone.now()
    import_pass = start_import(connection, now=now)
    while (wait := import_step(import_pass.pk, now=now)) is not None:
        now += timedelta(seconds=wait)
    import_pass.refresh_from_db()
    return import_pass
