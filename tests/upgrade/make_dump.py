"""Make a dump of a site at work, with the code of the checkout that this is run in.

The checkout is that of an earlier version, whose own modules this imports; see docs/development.md for the commands.
It fills a scratch SQLite database through that version's own functions where there are any, and writes the rows of
every table, the names of the last migrations and the time to a file that both databases can load.
"""

import gzip
import json
import sys
import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from tests import environment

import django  # isort: skip - the environment comes first

django.setup()

from allauth.account.models import EmailAddress  # noqa: E402
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes  # noqa: E402
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret  # noqa: E402
from allauth.usersessions.models import UserSession  # noqa: E402
from django.apps import apps  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.migrations.loader import MigrationLoader  # noqa: E402
from django.test import Client, override_settings  # noqa: E402
from django.utils import timezone  # noqa: E402
from django_q.models import OrmQ  # noqa: E402
from django_q.tasks import async_task  # noqa: E402

from collections_app.connections.connect import connect_with_token  # noqa: E402
from collections_app.importing.steps import import_step, start_import  # noqa: E402
from collections_app.models import ApiGate, ApiMinute, Capability, PendingAuthorisation, Preferences  # noqa: E402
from collections_app.sandbox.server import SandboxServer  # noqa: E402
from pricing.models import (  # noqa: E402
    CollectionValue,
    ExchangeRate,
    HealthAlert,
    MarketStat,
    PriceJob,
    PriceSnapshot,
    PriceSuggestion,
    ReleasePrice,
    SyncRun,
    ValueRequest,
    WorkerHeartbeat,
)
from pricing.sync import feeder, planner, runs  # noqa: E402
from pricing.tasks import refresh_price  # noqa: E402
from tests.upgrade import world  # noqa: E402

# Made again by `migrate`, or of no meaning to another database.
LEFT_OUT = {"contenttypes.ContentType", "auth.Permission", "admin.LogEntry", "django_q.Task"}
HOST = "old-host"
State = PriceJob.State


def make_user(username: str, **extra: Any) -> Any:
    user = get_user_model().objects.create_user(
        username, f"{username}@example.org", "a-long-password", **extra
    )
    EmailAddress.objects.create(user=user, email=user.email, verified=username != "eve", primary=True)
    return user


def import_all(user: Any) -> None:
    walk = start_import(user.discogs_connection, now=timezone.now())
    while import_step(walk.pk, now=timezone.now()) is not None:
        pass


def start(user: Any, *, import_first: bool = False) -> SyncRun:
    return planner.start_sync(
        user, trigger=SyncRun.Trigger.CLICK, now=timezone.now(), import_first=import_first
    )


def fetch(user: Any, *, limit: int) -> None:
    """Feed the queue and fetch so many of a user's releases, in the queue's order."""
    feeder.feed(now=timezone.now())
    rows = [row for row in OrmQ.objects.order_by("lock", "id") if row.task["func"] == feeder.TASK]
    jobs = PriceJob.objects.filter(items__run__user=user)
    mine = [row for row in rows if jobs.filter(pk=row.task["args"][0]).exists()]
    for row in mine[:limit]:
        row.delete()
        refresh_price(row.task["args"][0])


# The users ------------------------------------------------------------------------------------------


def finished_run_with_history(dora: Any, now: datetime) -> None:
    import_all(dora)
    start(dora)
    fetch(dora, limit=len(world.DORA))
    runs.advance_runs(now=timezone.now())
    for ago in range(1, 11):
        day = now.date() - timedelta(days=ago)
        for release in world.DORA:
            PriceSnapshot.objects.create(
                release_id=release, day=day, status="priced", currency="USD", amount_minor=900 + ago,
                num_for_sale=4, want=20, have=40, observed_at=now - timedelta(days=ago),
            )  # fmt: skip
        CollectionValue.objects.create(
            user=dora, day=day, currency="USD", value_minor=4 * (900 + ago), instances=4, priced=4,
            stale=0, unpriced=0, num_for_sale=16, want=80,
        )  # fmt: skip
    dora.discogs_connection.instances.filter(release=1304).update(removed_at=now - timedelta(days=2))
    Preferences.objects.create(user=dora, currency="JPY", hides_amounts=True, sync_every_hours=0)


def live_run(anna: Any, now: datetime) -> None:
    """A run with a job in every state that a live run can have."""
    import_all(anna)
    start(anna)
    fetch(anna, limit=6)
    job = {job.release_id: PriceJob.objects.filter(pk=job.pk) for job in PriceJob.objects.live()}
    row = {row.task["args"][0]: row for row in OrmQ.objects.all() if row.task["func"] == feeder.TASK}
    of = {release: row.get(found.get().pk) for release, found in job.items()}
    job[1107].update(  # its worker was killed
        state=State.RUNNING, lease_owner=uuid.uuid4(), lease_until=now + timedelta(seconds=30),
        attempts=1, worker=f"{HOST}:4242", started_at=now,
    )  # fmt: skip
    OrmQ.objects.filter(pk=of[1107].pk).update(lock=now + timedelta(minutes=2))
    of[1108].delete()  # its queue row was lost
    job[1109].update(
        state=State.WAITING, attempts=1, requests=1, not_before=now + timedelta(seconds=20),
        error_kind="server", error="Discogs answered 502.",
    )  # fmt: skip
    of[1109].delete()
    job[1110].update(state=State.DUE, queued_at=None)
    of[1110].delete()
    job[1112].update(state=State.DEAD, attempts=5, finished_at=now, error_kind="server", error="Gave up.")
    of[1112].delete()
    old = {
        "status": "priced",
        "currency": "USD",
        "amount_minor": 1234,
        "observed_at": now - timedelta(days=8),
    }
    ReleasePrice.objects.create(release_id=1112, status_since=old["observed_at"], **old)
    PriceSnapshot.objects.create(release_id=1112, day=old["observed_at"].date(), **old)
    Preferences.objects.create(user=anna, currency="EUR", time_zone="Europe/Berlin", sync_every_hours=6)
    TOTP.activate(anna, generate_totp_secret())
    RecoveryCodes.activate(anna)


def run_that_still_imports(ben: Any) -> None:
    run = start(ben, import_first=True)
    for _ in ("folders", "fields"):
        import_step(run.import_pass_id, now=timezone.now())
    # Its second step is in the queue, as `start` has left it.


def paused_run(cora: Any) -> None:
    import_all(cora)
    run = start(cora)
    fetch(cora, limit=2)
    planner.pause_run(run, now=timezone.now())


def logged_in(user: Any) -> None:
    client = Client()
    client.force_login(user)
    UserSession.objects.create(
        user=user, ip="192.0.2.1", session_key=client.session.session_key, user_agent="a browser"
    )


# What no user owns -----------------------------------------------------------------------------


def market_and_attempts(connection_of_dora: Any, now: datetime) -> None:
    ExchangeRate.objects.create(currency="EUR", micros_per_usd=920_000, observed_at=now - timedelta(hours=2))
    MarketStat.objects.create(
        release_id=1301, currency="EUR", amount_minor=3_600, num_for_sale=3, observed_at=now
    )
    PriceSuggestion.objects.create(
        release_id=1104, grade="Mint (M)", currency="USD", amount_minor=4_000, observed_at=now
    )
    attempts = {
        "suggestions of release 1101": (True, timedelta(hours=1)),  # failed an hour ago
        "suggestions of release 1102": (False, timedelta(days=3)),  # there were none
        f"suggestions for connection {connection_of_dora.pk}": (False, timedelta(hours=3)),
        "rate of EUR": (True, timedelta(hours=2)),
        "rate of JPY": (False, timedelta(minutes=1)),
        "search": (False, timedelta(hours=5)),
    }
    for name, (is_available, ago) in attempts.items():
        Capability.objects.create(name=name, is_available=is_available, checked_at=now - ago)


def health(now: datetime) -> None:
    for minute in range(1, 6):
        ApiMinute.objects.create(
            egress="default", minute=now.replace(second=0, microsecond=0) - timedelta(minutes=minute),
            requests=50, faults=minute % 2, latency_ms_sum=50 * 300, latency_ms_max=900,
        )  # fmt: skip
    HealthAlert.objects.create(kind="outage", message="Discogs does not answer.", opened_at=now)
    HealthAlert.objects.create(
        kind="no_workers", message="No worker has reported.", opened_at=now - timedelta(days=3),
        closed_at=now - timedelta(days=2),
    )  # fmt: skip
    WorkerHeartbeat.objects.update(host=HOST)
    PriceJob.objects.exclude(worker="").update(worker=f"{HOST}:4242")
    for gate in ApiGate.objects.all():
        gate.clocks = [[HOST, *entry[1:]] for entry in gate.clocks[:1]]
        gate.save(update_fields=["clocks"])


def other_queue_rows(users: dict[str, Any], now: datetime) -> None:
    """Every other kind of row that this version or the one before it has put into the queue."""
    request = ValueRequest.objects.create(user=users["cora"], due_at=now, queued_at=now, is_urgent=True)
    ValueRequest.objects.get_or_create(user=users["anna"], defaults={"due_at": now + timedelta(minutes=9)})
    tasks: list[tuple[str, tuple[Any, ...]]] = [
        ("pricing.tasks.work_value_request", (request.pk,)),
        ("pricing.tasks.settle_value", (users["dora"].pk,)),
        ("pricing.optional_tasks.refresh_suggestions", (1103,)),
        ("pricing.optional_tasks.refresh_stat", (1102, "EUR")),
        ("pricing.optional_tasks.refresh_stat", (1103, 2)),  # by position in the table of currencies
        ("pricing.optional_tasks.refresh_rate", ("EUR",)),
        ("pricing.optional_tasks.refresh_rate", (5,)),
        ("pricing.optional_tasks.probe_listing_search", ()),
    ]
    for name, arguments in tasks:
        async_task(name, *arguments, save=False)


# The file -------------------------------------------------------------------------------------------


def plain(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError(type(value))


def rows_of(model: Any) -> dict[str, Any]:
    names = [field.attname for field in model._meta.concrete_fields]
    return {"fields": names, "rows": list(model.objects.order_by("pk").values_list(*names))}


def write(path: Path, *, commit: str, made_at: datetime) -> None:
    models = [model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy]
    tables = {model._meta.label: rows_of(model) for model in models if model._meta.label not in LEFT_OUT}
    dump = {
        "commit": commit,
        "made_at": made_at,
        "migrations": sorted(MigrationLoader(connection).graph.leaf_nodes()),
        "tables": {label: table for label, table in tables.items() if table["rows"]},
    }
    text = json.dumps(dump, default=plain, separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def main(path: str, commit: str) -> None:
    assert environment.SCRATCH.exists()
    call_command("migrate", verbosity=0)
    now = datetime.now(UTC)
    with (
        SandboxServer(limit=100_000) as server,
        override_settings(
            DISCOGS_API_URL=server.url, DISCOGS_WEB_URL=server.url,
            DISCOGS_RATE_LIMIT=100_000, PRICE_WORKER_RATE_LIMIT=100_000, DISCOGS_RATE_WINDOW=6,
        ),
    ):  # fmt: skip
        world.fill(server)
        users = {name: make_user(name) for name in world.SHELVES}
        for name, user in users.items():
            connect_with_token(user, f"token-of-{name}", now=now)
        finished_run_with_history(users["dora"], now)
        paused_run(users["cora"])
        OrmQ.objects.all().delete()  # the jobs of a paused run are not queued
        PriceJob.objects.filter(state=State.QUEUED).update(state=State.DUE, queued_at=None)
        live_run(users["anna"], timezone.now())
        run_that_still_imports(users["ben"])
    eve = make_user("eve")
    make_user("staff", is_staff=True, is_superuser=True)
    PendingAuthorisation.objects.create(user=eve, credential="", created_at=now)
    logged_in(users["anna"])
    market_and_attempts(users["dora"].discogs_connection, now)
    health(now)
    other_queue_rows(users, timezone.now())
    write(Path(path), commit=commit, made_at=timezone.now())


if __name__ == "__main__":
    main(*sys.argv[1:])
