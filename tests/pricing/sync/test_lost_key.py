"""A key is missing from CREDENTIAL_KEYS and comes back: the credential was never refused, so nothing is lost."""

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.utils import timezone

from collections_app.models import DiscogsConnection
from pricing.models import PriceJob, ReleasePrice, SyncRun
from pricing.sync import runs
from pricing.workers import schedules
from tests.pricing.engine import advance_runs, import_all, work_until_idle

pytestmark = pytest.mark.django_db
RELEASES = list(range(101, 131))


@pytest.fixture
def collector(make_collector, generous_sandbox):
    user = make_collector(generous_sandbox, release_ids=RELEASES)
    import_all(user)
    return user


@pytest.fixture
def lose_key(settings):
    """Takes the key away; returns what brings it back."""

    def lose():
        kept, settings.CREDENTIAL_KEYS = settings.CREDENTIAL_KEYS, [Fernet.generate_key().decode()]
        return lambda: setattr(settings, "CREDENTIAL_KEYS", kept)

    return lose


def sync(user, *, import_first: bool) -> SyncRun:
    run = runs.start_sync(
        user,
        trigger=SyncRun.Trigger.CLICK,
        now=timezone.now(),
        stale_after=timedelta(),
        import_first=import_first,
    )
    if import_first:
        import_all(user)
        advance_runs(now=timezone.now())
    work_until_idle()
    run.refresh_from_db()
    return run


def state_of(user) -> str:
    return DiscogsConnection.objects.get(user=user).state


def failed_jobs(run) -> int:
    return run.items.filter(job__state=PriceJob.State.DEAD).count()


@pytest.mark.parametrize("lost_in_import", [True, False])
@pytest.mark.parametrize("found_in_import", [True, False])
def test_sync_with_restored_key_fails_no_job(collector, lose_key, lost_in_import, found_in_import):
    bring_back = lose_key()
    assert sync(collector, import_first=lost_in_import).state == SyncRun.State.FAILED
    bring_back()
    run = sync(collector, import_first=found_in_import)
    assert (run.state, failed_jobs(run), ReleasePrice.objects.count()) == ("finished", 0, len(RELEASES))
    assert state_of(collector) == "active"


@pytest.mark.parametrize("import_first", [True, False])
def test_sync_without_key_says_what_is_missing(client, collector, lose_key, generous_sandbox, import_first):
    sealed, asked = DiscogsConnection.objects.get().credential, generous_sandbox.stats()["accepted"]
    lose_key()
    run = sync(collector, import_first=import_first)
    assert "the key it was stored with is missing" in run.error
    assert (DiscogsConnection.objects.get().credential, state_of(collector)) == (sealed, "unreadable")
    assert generous_sandbox.stats()["accepted"] == asked
    client.force_login(collector)
    html = " ".join(client.get("/dashboard/").content.decode().split())
    assert "cannot decrypt your connection to Discogs" in html
    assert "Discogs no longer accepts" not in html


def test_mark_is_cleared_once_the_key_is_back(collector, lose_key):
    bring_back = lose_key()
    sync(collector, import_first=False)
    schedules.tick(timezone.now())
    assert state_of(collector) == "unreadable"
    bring_back()
    schedules.tick(timezone.now())
    assert state_of(collector) == "active"


def test_revoked_token_stays_refused(collector, lose_key, generous_sandbox):
    generous_sandbox.add_user("collector_at_discogs", "another-token", release_ids=RELEASES)
    assert sync(collector, import_first=False).state == SyncRun.State.FAILED
    assert state_of(collector) == "reconnect_needed"
    bring_back = lose_key()
    with pytest.raises(runs.ReconnectNeeded):
        sync(collector, import_first=False)
    schedules.tick(timezone.now())
    assert state_of(collector) == "reconnect_needed"
    bring_back()
    schedules.tick(timezone.now())
    assert state_of(collector) == "reconnect_needed"


def test_token_revoked_without_key_is_refused(collector, lose_key, generous_sandbox):
    bring_back = lose_key()
    sync(collector, import_first=False)
    generous_sandbox.add_user("collector_at_discogs", "another-token", release_ids=RELEASES)
    bring_back()
    assert sync(collector, import_first=False).state == SyncRun.State.FAILED
    assert state_of(collector) == "reconnect_needed"


@pytest.mark.parametrize("release", [None, RELEASES])
@pytest.mark.parametrize("state", ["reconnect_needed", "unreadable"])
def test_sync_prices_is_refused_with_status_2(collector, lose_key, state, release):
    lose_key()
    DiscogsConnection.objects.update(state=state)
    with pytest.raises(CommandError, match="nothing was started") as refused:
        call_command("sync_prices", user="collector", release=release)
    assert refused.value.returncode == 2
    assert not SyncRun.objects.exists()


def test_sync_starts_once_the_key_is_back(collector):
    DiscogsConnection.objects.update(state="unreadable")
    assert sync(collector, import_first=False).state == SyncRun.State.FINISHED
    assert state_of(collector) == "active"


def test_shared_release_uses_readable_credential(collector, make_collector, generous_sandbox):
    other = make_collector(generous_sandbox, "other", release_ids=RELEASES)
    import_all(other)
    DiscogsConnection.objects.filter(user=collector).update(credential="sealed with a lost key")
    mine = runs.start_sync(collector, trigger=SyncRun.Trigger.CLICK, now=timezone.now(), import_first=False)
    run = sync(other, import_first=False)
    mine.refresh_from_db()
    assert (run.state, failed_jobs(run), mine.state) == ("finished", 0, "failed")
    assert (state_of(collector), state_of(other)) == ("unreadable", "active")


def test_readable_credential_is_found(make_collector, generous_sandbox):
    owners = [make_collector(generous_sandbox, f"owner{n}", release_ids=[101]) for n in range(6)]
    for owner in owners:
        import_all(owner)
    DiscogsConnection.objects.exclude(user=owners[-1]).update(credential="sealed with a lost key")
    run = runs.start_release_sync([101], now=timezone.now(), stale_after=timedelta())
    work_until_idle()
    assert (failed_jobs(run), ReleasePrice.objects.count()) == (0, 1)


def test_rotation_without_the_key_changes_nothing(collector, lose_key):
    sealed = DiscogsConnection.objects.get().credential
    bring_back = lose_key()
    with pytest.raises((CommandError, SystemExit)):
        call_command("rotate_credentials")
    assert DiscogsConnection.objects.get().credential == sealed
    bring_back()
    call_command("rotate_credentials")
    run = sync(collector, import_first=False)
    assert failed_jobs(run) == 0
