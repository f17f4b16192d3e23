"""Attempts recorded as capabilities, with a sentence as their key, become rows with real keys."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from django.db import migrations, transaction
from django.db.models import QuerySet

BATCH = 1_000  # rows in one transaction


class Kind(NamedTuple):
    start: str  # of a capability's name; the rest is the subject's id or code
    source: str
    subject: str  # the field of an attempt
    model: str  # of collections_app: where the subject must still exist; "" for a currency
    outcomes: tuple[str, str]  # if `is_available` was false, and if it was true; of a connection it was always false


KINDS = (
    Kind("suggestions of release ", "suggestions", "release_id", "Release", ("none", "failed")),
    Kind("suggestions for connection ", "suggestions", "connection_id", "DiscogsConnection", ("refused", "refused")),
    Kind("rate of ", "exchange_rate", "currency", "", ("requested", "stored")),
)


def move_to_attempts(apps: Any, schema_editor: Any) -> None:
    """Move the capabilities; those of a release or connection that no longer exists are deleted."""
    capabilities = apps.get_model("collections_app", "Capability").objects
    attempts = apps.get_model("pricing", "SourceAttempt").objects
    for kind in KINDS:
        rows = capabilities.filter(name__startswith=kind.start)
        _move(rows, attempts, partial(_as_attempts, apps, kind))


def move_to_capabilities(apps: Any, schema_editor: Any) -> None:
    """Move the attempts back."""
    capabilities = apps.get_model("collections_app", "Capability").objects
    attempts = apps.get_model("pricing", "SourceAttempt").objects
    for kind in KINDS:
        rows = attempts.filter(source=kind.source).exclude(**{kind.subject: None if kind.model else ""})
        _move(rows, capabilities, partial(_as_capabilities, apps, kind))


def _move(rows: "QuerySet[Any]", target: Any, convert: Callable[[list[Any]], list[Any]]) -> None:
    """Move rows to another table. Each batch is one transaction, so an interrupted migration can be repeated."""
    while True:
        with transaction.atomic():
            batch = list(rows.order_by("pk")[:BATCH])
            # A row that a process of the other version has recorded meanwhile is kept: it is newer.
            target.bulk_create(convert(batch), ignore_conflicts=True)
            rows.filter(pk__in=[row.pk for row in batch]).delete()
        if len(batch) < BATCH:
            return


def _as_attempts(apps: Any, kind: Kind, capabilities: list[Any]) -> list[Any]:
    by_key = {row.name.removeprefix(kind.start): row for row in capabilities}
    return [
        apps.get_model("pricing", "SourceAttempt")(
            source=kind.source,
            tried_at=by_key[str(subject)].checked_at,
            outcome=kind.outcomes[by_key[str(subject)].is_available],
            **{kind.subject: subject},
        )
        for subject in _existing(apps, kind, list(by_key))
    ]


def _as_capabilities(apps: Any, kind: Kind, attempts: list[Any]) -> list[Any]:
    return [
        apps.get_model("collections_app", "Capability")(
            name=f"{kind.start}{getattr(row, kind.subject)}",
            is_available=row.outcome == kind.outcomes[True] != kind.outcomes[False],
            checked_at=row.tried_at,
        )
        for row in attempts
    ]


def _existing(apps: Any, kind: Kind, keys: list[str]) -> list[int] | list[str]:
    if not kind.model:
        return keys
    rows = apps.get_model("collections_app", kind.model).objects.filter(pk__in=keys)
    return list(rows.values_list("pk", flat=True))


class Migration(migrations.Migration):
    atomic = False  # each batch is a transaction of its own
    dependencies = [
        ("pricing", "0008_source_attempts"),
        ("collections_app", "0005_gate_clocks"),
    ]
    operations = [migrations.RunPython(move_to_attempts, move_to_capabilities)]
