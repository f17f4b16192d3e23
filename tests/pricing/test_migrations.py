"""What the migrations make of rows that are there already."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from collections_app.currencies import CODES
from collections_app.models import Capability
from pricing.models import (
    CollectionValue,
    ExchangeRate,
    NearMintPrice,
    PriceSnapshot,
    ReleasePrice,
    SourceAttempt,
    ValueRequest,
)
from tests.factories import make_connection, make_price, make_release, make_value

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE, AFTER = ("pricing", "0008_source_attempts"), ("pricing", "0009_known_source_attempts")
NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def capabilities() -> Iterator[dict[str, tuple[bool, datetime]]]:
    """The capabilities of a database of before, of which two name a release and a connection that are gone."""
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    MigrationExecutor(connection).migrate([BEFORE])
    first, second, owner = make_release(), make_release(), make_connection()
    names = {
        f"suggestions of release {first.pk}": False,
        f"suggestions of release {second.pk}": True,
        "suggestions of release 999999999": True,
        f"suggestions for connection {owner.pk}": False,
        "suggestions for connection 999999999": False,
        "rate of EUR": True,
        "rate of JPY": False,
        "search": True,
    }
    rows = {
        name: (found, NOON + number * timedelta(hours=1))
        for number, (name, found) in enumerate(names.items())
    }
    for name, (is_available, checked_at) in rows.items():
        Capability.objects.create(name=name, is_available=is_available, checked_at=checked_at)
    yield rows
    MigrationExecutor(connection).migrate(latest)


def attempts():
    """The attempts as of AFTER, whatever fields later migrations add."""
    apps = MigrationExecutor(connection).loader.project_state([AFTER]).apps
    return apps.get_model("pricing", "SourceAttempt").objects


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_source_attempts_move_forward_and_back(capabilities, monkeypatch, batch):
    monkeypatch.setattr(import_module("pricing.migrations.0009_known_source_attempts"), "BATCH", batch)
    MigrationExecutor(connection).migrate([AFTER])
    assert Capability.objects.get().name == "search"
    moved = [
        (row.source, str(row.release_id or row.connection_id or row.currency), row.outcome, row.tried_at)
        for row in attempts().order_by("tried_at")
    ]
    names = list(capabilities)
    assert moved == [
        (source, names[number].split()[-1], outcome, capabilities[names[number]][1])
        for source, outcome, number in (
            ("suggestions", "none", 0),
            ("suggestions", "failed", 1),
            ("suggestions", "refused", 3),
            ("exchange_rate", "stored", 5),
            ("exchange_rate", "requested", 6),
        )
    ]
    MigrationExecutor(connection).migrate([BEFORE])
    kept = {name: row for name, row in capabilities.items() if "999999999" not in name}
    rows = Capability.objects.values_list("name", "is_available", "checked_at")
    assert {name: (found, at) for name, found, at in rows} == kept
    assert not attempts().exists()


def test_newer_source_attempt_is_kept(capabilities):
    later = NOON + timedelta(days=9)
    attempts().create(source="exchange_rate", currency="EUR", outcome="requested", tried_at=later)
    MigrationExecutor(connection).migrate([AFTER])
    assert attempts().get(currency="EUR").tried_at == later
    Capability.objects.create(name="rate of EUR", is_available=True, checked_at=later)
    MigrationExecutor(connection).migrate([BEFORE])
    assert Capability.objects.get(name="rate of EUR").is_available


@pytest.fixture
def wide_snapshots() -> Iterator[Any]:
    """The model of snapshots before they were narrowed, with its table."""
    before, latest = (
        ("pricing", "0012_learn_from_history"),
        MigrationExecutor(connection).loader.graph.leaf_nodes(),
    )
    executor = MigrationExecutor(connection)
    executor.migrate([before])
    yield executor.loader.project_state([before]).apps.get_model("pricing", "PriceSnapshot")
    MigrationExecutor(connection).migrate(latest)


READINGS = (
    {
        "status": "priced",
        "currency": "USD",
        "amount_minor": 1_000_000_000,
        "rating_average": 4.37,
        "duration_ms": 40_000,
    },
    {
        "status": "none_for_sale",
        "currency": "",
        "num_for_sale": 0,
        "want": 2_000_000_000,
        "duration_ms": 40_000,
    },
    {"status": "priced", "currency": "USD", "amount_minor": 1, "rating_count": 7, "source": "demo"},
    {"status": "blocked", "currency": "", "rating_average": 0.0},
    {"status": "gone", "currency": ""},
    *({"status": "priced", "currency": code, "amount_minor": 7} for code in CODES),
)


def test_snapshots_keep_their_values_when_narrowed(wide_snapshots):
    release = make_release().pk
    for ago, reading in enumerate(READINGS):
        day = NOON.date() - timedelta(days=ago)
        wide_snapshots.objects.create(release_id=release, day=day, observed_at=NOON, **reading)
    fields = [field.attname for field in wide_snapshots._meta.concrete_fields if field.name != "id"]
    before = list(wide_snapshots.objects.order_by("day").values(*fields))
    MigrationExecutor(connection).migrate([("pricing", "0013_lean_snapshots")])
    assert list(PriceSnapshot.objects.order_by("day").values(*fields)) == before
    MigrationExecutor(connection).migrate([("pricing", "0012_learn_from_history")])
    assert list(wide_snapshots.objects.order_by("day").values(*fields)) == before


@pytest.fixture
def suggestions() -> Iterator[Any]:
    """The model of suggestions by grade, with its table."""
    before, latest = ("pricing", "0017_worth"), MigrationExecutor(connection).loader.graph.leaf_nodes()
    MigrationExecutor(connection).migrate([before])
    yield (
        MigrationExecutor(connection)
        .loader.project_state([before])
        .apps.get_model("pricing", "PriceSuggestion")
    )
    MigrationExecutor(connection).migrate(latest)


NEAR_MINT, MINT, POOR = "Near Mint (NM or M-)", "Mint (M)", "Poor (P)"
# Per release: grade, currency, amount and days ago of each suggestion; what is kept of them: amount and days ago.
BY_GRADE = [
    ([(POOR, "USD", 101, 1), (NEAR_MINT, "USD", 1700, 1), (MINT, "USD", 1900, 1)], (1700, 1)),
    ([(POOR, "USD", 101, 1), (MINT, "USD", 1901, 1)], (1701, 1)),
    ([(NEAR_MINT, "USD", 1700, 5), (POOR, "GBP", 80, 2)], (1700, 2)),
    ([(NEAR_MINT, "USD", 1700, 5), (NEAR_MINT, "CHF", 900, 2)], (1700, 5)),
    ([(NEAR_MINT, "CHF", 900, 2)], None),
    ([(NEAR_MINT, "JPY", 1500, 2)], (1000, 2)),
    ([("Sealed", "USD", 900, 2)], None),
    ([], None),
]


@pytest.mark.parametrize("batch", [1, 3, 500])
def test_suggestions_become_one_number(suggestions, monkeypatch, batch):
    module = import_module("pricing.migrations.0018_near_mint")
    monkeypatch.setattr(module, "BATCH", batch)
    for currency, micros in (("GBP", 800_000), ("JPY", 150_000_000)):
        ExchangeRate.objects.create(currency=currency, micros_per_usd=micros, observed_at=NOON)
    expected = {}
    for rows, kept in BY_GRADE:
        release = make_price(make_release(), 500).pk
        for grade, currency, amount, ago in rows:
            values = {"amount_minor": amount, "observed_at": NOON - timedelta(days=ago)}
            suggestions.objects.create(release_id=release, grade=grade, currency=currency, **values)
        expected[release] = kept
    none_of = make_price(make_release(), 500).pk
    SourceAttempt.objects.create(source="suggestions", outcome="none", release_id=none_of, tried_at=NOON)
    expected[none_of] = (None, 0)
    without_price = make_release().pk
    suggestions.objects.create(
        release_id=without_price, grade=MINT, currency="USD", amount_minor=1, observed_at=NOON
    )
    converted = [("pricing", "0018_near_mint")]
    MigrationExecutor(connection).migrate(converted)
    # Repeated, as after an interruption.
    module.convert(MigrationExecutor(connection).loader.project_state(converted).apps, None)
    MigrationExecutor(connection).migrate([("pricing", "0019_no_suggestions")])
    columns = ("pk", "near_mint_minor", "near_mint_at", "near_mint_since")
    for release, amount, at, since in ReleasePrice.objects.values_list(*columns):
        row = None if expected[release] is None else NOON - timedelta(days=expected[release][1])
        assert (amount, at) == ((expected[release] or (None,))[0], row)
        assert since == (row and row.date())
        history = NearMintPrice.objects.filter(release=release).values_list("day", "amount_minor")
        assert list(history) == ([] if row is None else [(row.date(), amount)])
    assert not NearMintPrice.objects.filter(release=without_price).exists()


def test_all_stored_values_are_requested_again():
    collector, other = make_connection(), make_connection("other")
    for ago in (3, 1):
        make_value(collector, 1000, day=NOON.date() - timedelta(days=ago))
    ValueRequest.objects.create(user=collector.user, due_at=NOON)
    import_module("pricing.migrations.0021_rebuild_values").request(apps, None)
    request = ValueRequest.objects.get()
    assert (request.user_id, request.rebuild_from) == (collector.user_id, NOON.date() - timedelta(days=3))
    assert not CollectionValue.objects.filter(user=other.user).exists()
