"""Two thousand users share the releases of one run: the supervisor's loop still reports in time."""

import time
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from collections_app.models import CollectionInstance, DiscogsConnection
from pricing.models import CollectionValue, SyncRun, ValueRequest, WorkerHeartbeat
from pricing.sync import runs
from tests.pricing.engine import import_all

pytestmark = [
    pytest.mark.long,
    pytest.mark.fault,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
]

USERS, RELEASES = 2_000, 60
MAX_SILENCE = timedelta(seconds=5)


def share_with_others(releases: list[int], *, users: int) -> None:
    """Add this many users who hold all of these releases."""
    now, model = timezone.now(), get_user_model()
    model.objects.bulk_create([model(username=f"owner{number}") for number in range(users)], batch_size=500)
    owners = model.objects.filter(username__startswith="owner").order_by("pk")
    DiscogsConnection.objects.bulk_create(
        [
            DiscogsConnection(user=owner, discogs_user_id=10_000 + owner.pk, connected_at=now)
            for owner in owners
        ],
        batch_size=500,
    )
    for connection in DiscogsConnection.objects.filter(user__in=owners):
        CollectionInstance.objects.bulk_create(
            [
                CollectionInstance(
                    connection=connection, instance_id=release, release_id=release, added_at=now
                )
                for release in releases
            ]
        )


def longest_silence(*, until, within: float) -> timedelta:
    """The greatest age of the supervisor's heartbeat before `until()` became true."""
    beats = WorkerHeartbeat.objects.filter(role="supervisor")
    deadline, longest = time.monotonic() + within, timedelta(0)
    while not until():
        assert time.monotonic() < deadline, f"not within {within} s; the longest silence was {longest}"
        if (beat := beats.first()) is not None:
            longest = max(longest, timezone.now() - beat.seen_at)
        time.sleep(0.1)
    return longest


def test_loop_reports_in_time_with_2000_owners(make_collector, generous_sandbox, site):
    releases = list(range(1000, 1000 + RELEASES))
    user = make_collector(generous_sandbox, release_ids=releases)
    import_all(user)
    share_with_others(releases, users=USERS)
    run = runs.start_sync(user, trigger=SyncRun.Trigger.CLICK, now=timezone.now(), import_first=False)
    # Nothing else is due: scheduled runs begin an hour after connecting.
    site.start("run_workers")
    ended = SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.FINISHED)
    silence = longest_silence(until=ended.exists, within=120)
    ended_at = ended.get().finished_at
    own = ValueRequest.objects.filter(user=user)
    silence = max(silence, longest_silence(until=lambda: not own.exists(), within=10))
    assert CollectionValue.objects.filter(user=user).exists()
    # Make the other users' values due at once, so that the test does not wait for ten minutes.
    silence = max(silence, longest_silence(until=all_requested, within=120))
    ValueRequest.objects.update(due_at=timezone.now())
    values = CollectionValue.objects.filter(day__gte=ended_at.date()).values("user").distinct()
    silence = max(silence, longest_silence(until=lambda: values.count() > USERS, within=900))
    assert silence < MAX_SILENCE
    assert not ValueRequest.objects.filter(run__isnull=False).exists()


def all_requested() -> bool:
    """Whether each owner's value has been requested or computed."""
    return ValueRequest.objects.filter(user__isnull=False).count() + _valued() > USERS


def _valued() -> int:
    return CollectionValue.objects.filter(basis="floor").count()
