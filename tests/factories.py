"""Make rows for tests: plain functions with defaults for everything that a test does not set."""

from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from collections_app.models import (
    ApiMinute,
    CollectionInstance,
    DiscogsConnection,
    Folder,
    Release,
    WantlistItem,
)
from pricing.models import (
    CollectionValue,
    PriceJob,
    PriceSnapshot,
    ReleasePrice,
    RunItem,
    SyncRun,
    WorkerHeartbeat,
)

_numbers = count(100_001)  # above the numbers that tests choose themselves


def make_connection(username: str = "collector", **fields: Any) -> DiscogsConnection:
    """Make a user with a connection."""
    user = get_user_model().objects.create_user(username, f"{username}@example.org", "a-long-password")
    values = {
        "discogs_user_id": next(_numbers),
        "discogs_username": f"{username}_at_discogs",
        "credential": "sealed",
        "connected_at": timezone.now(),
    }
    return DiscogsConnection.objects.create(user=user, **{**values, **fields})


def make_release(**fields: Any) -> Release:
    number = fields.pop("discogs_id", None) or next(_numbers)
    values = {"title": f"Title {number}", "artists": f"Artist {number}", "format": "LP, Album", "year": 1984}
    return Release.objects.create(discogs_id=number, **{**values, **fields})


def make_copy(
    connection: DiscogsConnection, release: Release | None = None, **fields: Any
) -> CollectionInstance:
    values = {"instance_id": next(_numbers), "added_at": timezone.now()}
    return CollectionInstance.objects.create(
        connection=connection, release=release or make_release(), **{**values, **fields}
    )


def make_folder(connection: DiscogsConnection, name: str, **fields: Any) -> Folder:
    values = {"discogs_id": next(_numbers), "name": name, **fields}
    return Folder.objects.create(connection=connection, **values)


def make_want(connection: DiscogsConnection, release: Release) -> WantlistItem:
    return WantlistItem.objects.create(connection=connection, release=release, added_at=timezone.now())


def _reading(amount_minor: int | None, status: str | None) -> dict[str, Any]:
    return {
        "status": status or ("priced" if amount_minor is not None else "none_for_sale"),
        "amount_minor": amount_minor,
        "currency": "" if amount_minor is None else "USD",
    }


def make_price(
    release: Release, amount_minor: int | None, *, status: str | None = None, **fields: Any
) -> ReleasePrice:
    observed_at = fields.setdefault("observed_at", timezone.now())
    values = {"num_for_sale": 5, "want": 20, "have": 40, "status_since": observed_at}
    return ReleasePrice.objects.create(
        release=release, **_reading(amount_minor, status), **{**values, **fields}
    )


def make_snapshot(
    release: Release, amount_minor: int | None, *, day: date, status: str | None = None, **fields: Any
) -> PriceSnapshot:
    values = {"num_for_sale": 5, "want": 20, "have": 40, "observed_at": timezone.now()}
    return PriceSnapshot.objects.create(
        release=release, day=day, **_reading(amount_minor, status), **{**values, **fields}
    )


def make_value(
    connection: DiscogsConnection, value_minor: int, *, day: date, **fields: Any
) -> CollectionValue:
    values = {"instances": 1, "priced": 1, "stale": 0, "unpriced": 0, "num_for_sale": 5, "want": 20}
    return CollectionValue.objects.create(
        user=connection.user, day=day, currency="USD", value_minor=value_minor, **{**values, **fields}
    )


def make_run(connection: DiscogsConnection, state: str = "running", **fields: Any) -> SyncRun:
    ends = None if state in SyncRun.ACTIVE else timezone.now()
    values = {
        "trigger": "click",
        "stale_after_seconds": 0,
        "created_at": timezone.now(),
        "finished_at": ends,
    }
    return SyncRun.objects.create(user=connection.user, state=state, **{**values, **fields})


def make_item(run: SyncRun, release: Release, state: str | None = None, **fields: Any) -> RunItem:
    """Add a release to a run, with a job in this state; without a state, the release is reused."""
    job = None
    if state is not None:
        job = PriceJob.objects.create(release=release, state=state, created_at=run.created_at, **fields)
    return RunItem.objects.create(run=run, release=release, job=job, reused=job is None)


def make_jobs(*states: str, finished_at: datetime | None = None) -> None:
    """A job in each of these states, wanted by one run."""
    run = make_run(make_connection(f"owner-of-{'-'.join(states)}"))
    for state in states:
        make_item(run, make_release(), state, finished_at=finished_at)


def make_minute(at: datetime, requests: int, **fields: Any) -> ApiMinute:
    """The requests of the minute in which that moment is."""
    minute = at.replace(second=0, microsecond=0)
    return ApiMinute.objects.create(**{"egress": "default", "minute": minute, "requests": requests, **fields})


def make_heartbeat(pid: int = 1, *, seen_at: datetime, **fields: Any) -> WorkerHeartbeat:
    values = {"host": "host", "started_at": seen_at - timedelta(hours=2)}
    return WorkerHeartbeat.objects.create(pid=pid, seen_at=seen_at, **{**values, **fields})


def fill_collection(connection: DiscogsConnection, releases: int, *, now: datetime, days: int = 4) -> None:
    """Add copies with a price each, and `days` entries of history, 30 days apart, for each release and the value."""
    for number in range(releases):
        release = make_release(genres=["Jazz"] if number % 2 else ["Rock"])
        make_copy(connection, release)
        make_price(release, 1000 + number, observed_at=now)
        for ago in range(1, days + 1):
            make_snapshot(release, 900 + ago * number, day=now.date() - timedelta(days=ago * 30))
    for ago in range(1, days + 1):
        make_value(connection, 5000, day=now.date() - timedelta(days=ago * 30))
