"""One price job from claim to outcome, against the sandbox."""

from datetime import timedelta

import pytest
from django.utils import timezone

from collections_app.connections.connect import connect_with_token
from collections_app.models import DiscogsConnection
from pricing.models import PriceJob, PriceSnapshot, ReleasePrice, SyncRun
from pricing.pages.queries import progress_of, value_for
from pricing.sync import feeder, runs
from pricing.sync.refresh import Outcome, refresh_job
from pricing.tasks import refresh_price, this_process
from tests.pricing.engine import drain_queue, import_all, work_until_idle

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def collector(make_collector, generous_sandbox):
    user = make_collector(generous_sandbox, release_ids=[11, 12, 13, 14])
    for release in (11, 12, 13, 14):
        generous_sandbox.set_market(release, lowest_price="8.415", num_for_sale=3)
    import_all(user)
    generous_sandbox.reset("stats")
    return user


def sync(user, **options) -> SyncRun:
    return runs.start_sync(
        user, trigger=SyncRun.Trigger.CLICK, now=timezone.now(), import_first=False, **options
    )


def job_of(release: int) -> PriceJob:
    return PriceJob.objects.filter(release_id=release).latest("pk")


def test_release_costs_one_request_one_snapshot(collector, generous_sandbox):
    run = sync(collector)
    work_until_idle()
    run.refresh_from_db()
    assert run.state == SyncRun.State.FINISHED
    assert generous_sandbox.stats()["accepted"] == 4
    assert PriceSnapshot.objects.count() == ReleasePrice.objects.count() == 4
    assert value_for(collector.pk, now=timezone.now()).amount_minor == 4 * 842


def test_states_without_a_price_are_kept_apart(collector, generous_sandbox):
    generous_sandbox.set_market(11, gone=True)
    generous_sandbox.set_market(12, blocked=True)
    generous_sandbox.set_market(13, lowest_price=None)
    run = sync(collector)
    work_until_idle()
    progress = progress_of(run, now=timezone.now())
    assert (progress.recorded, progress.gone, progress.blocked, progress.none_for_sale) == (1, 1, 1, 1)
    assert not ReleasePrice.objects.filter(amount_minor=0).exists()
    value = value_for(collector.pk, now=timezone.now())
    assert (value.amount_minor, value.priced, value.unpriced) == (842, 1, 3)


def test_fresh_prices_cost_no_request(collector, generous_sandbox):
    sync(collector)
    work_until_idle()
    generous_sandbox.reset("stats")
    run = sync(collector)
    work_until_idle()
    assert generous_sandbox.stats()["accepted"] == 0
    assert progress_of(run, now=timezone.now()).reused == 4


def test_forced_run_requests_again(collector, generous_sandbox):
    sync(collector)
    work_until_idle()
    sync(collector, stale_after=timedelta(0))
    work_until_idle()
    assert generous_sandbox.stats()["accepted"] == 8
    assert PriceSnapshot.objects.count() == 4


def test_second_delivery_makes_no_request(collector, generous_sandbox):
    sync(collector)
    work_until_idle()
    refresh_price(job_of(11).pk)
    assert generous_sandbox.stats()["accepted"] == 4


@pytest.mark.parametrize("kind", ["html", "empty", "cut", "reset", "forbidden_html"])
def test_failed_fetch_is_retried_unchanged(collector, generous_sandbox, kind):
    sync(collector)
    work_until_idle()
    before = list(ReleasePrice.objects.order_by("pk").values())
    generous_sandbox.add_fault(path="/releases/11", kind=kind, times=1)
    sync(collector, stale_after=timedelta(0))
    feeder.feed(now=timezone.now())
    drain_queue()
    job = job_of(11)
    assert (job.state, job.attempts) == (PriceJob.State.WAITING, 1)
    assert ReleasePrice.objects.filter(pk=11).values().get() == before[0]
    PriceJob.objects.update(not_before=timezone.now())
    work_until_idle()
    assert job_of(11).state == PriceJob.State.RECORDED


def test_three_failures_end_a_job_with_its_reason(collector, generous_sandbox):
    generous_sandbox.add_fault(path="/releases/11", kind="status", status=500)
    run = sync(collector)
    for _ in range(3):
        work_until_idle()
        PriceJob.objects.filter(state=PriceJob.State.WAITING).update(not_before=timezone.now())
    job = job_of(11)
    assert (job.state, job.attempts, job.requests, job.error_kind) == (PriceJob.State.DEAD, 3, 3, "server")
    assert progress_of(run, now=timezone.now()).errors == {"server": 1}
    assert not ReleasePrice.objects.filter(pk=11).exists()


def test_failed_jobs_of_a_run_can_be_retried(collector, generous_sandbox):
    test_three_failures_end_a_job_with_its_reason(collector, generous_sandbox)
    generous_sandbox.clear_faults()
    run = SyncRun.objects.latest("pk")
    assert runs.retry_failed(run, now=timezone.now()) == 1
    work_until_idle()
    run.refresh_from_db()
    assert run.state == SyncRun.State.FINISHED
    assert progress_of(run, now=timezone.now()).failed == 0


def test_waiting_for_the_limit_costs_no_attempt(collector, generous_sandbox):
    generous_sandbox.add_fault(
        path="/releases/11", kind="status", status=429, headers={"Retry-After": "1"}, times=1
    )
    sync(collector)
    feeder.feed(now=timezone.now())
    drain_queue()
    job = job_of(11)
    assert (job.state, job.attempts, job.error_kind) == (PriceJob.State.WAITING, 0, "rate_limit")


def test_revoked_token_stops_one_user_only(collector, make_collector, generous_sandbox):
    other = make_collector(generous_sandbox, "other", release_ids=[21, 22])
    generous_sandbox.set_market(21, lowest_price="5")
    import_all(other)
    generous_sandbox.add_user("collector_at_discogs", "another-token-now", release_ids=[11])
    run = sync(collector)
    sync(other)
    generous_sandbox.reset("stats")
    work_until_idle()
    PriceJob.objects.filter(state=PriceJob.State.WAITING).update(not_before=timezone.now())
    work_until_idle()
    states = dict(DiscogsConnection.objects.values_list("user__username", "state"))
    assert states == {"collector": "reconnect_needed", "other": "active"}
    assert job_of(11).error_kind == "credentials"
    run.refresh_from_db()
    assert (run.state, "Reconnect" in run.error) == (SyncRun.State.FAILED, True)
    assert (
        generous_sandbox.stats()["statuses"]["401"] == 2
    )  # once, and once to be sure; three jobs were called off
    assert job_of(21).state == PriceJob.State.RECORDED
    assert collector.discogs_connection.instances.held().count() == 4


def test_reconnect_outlasts_the_old_token(collector, generous_sandbox):
    run = sync(collector)
    feeder.feed(now=timezone.now())
    generous_sandbox.add_user("collector_at_discogs", "another-token-now", release_ids=[11])

    def client_for(credentials, interactive):
        connect_with_token(collector, "another-token-now", now=timezone.now())
        return this_process().client_for(credentials, interactive)

    outcome = refresh_job(job_of(11).pk, client_for=client_for, clock=timezone.now)
    run.refresh_from_db()
    assert DiscogsConnection.objects.get().is_active
    assert run.state == SyncRun.State.RUNNING
    assert (outcome, job_of(11).state, job_of(11).attempts) == (Outcome.PUT_OFF, PriceJob.State.WAITING, 0)
    PriceJob.objects.update(not_before=timezone.now())
    work_until_idle()
    assert job_of(11).state == PriceJob.State.RECORDED


def test_shared_release_uses_other_credentials(collector, make_collector, generous_sandbox):
    other = make_collector(generous_sandbox, "other", release_ids=[11, 12])
    import_all(other)
    generous_sandbox.add_user("collector_at_discogs", "another-token-now", release_ids=[11])
    sync(collector)
    theirs = sync(other)
    work_until_idle()
    PriceJob.objects.filter(state=PriceJob.State.WAITING).update(not_before=timezone.now())
    work_until_idle()
    theirs.refresh_from_db()
    assert theirs.state == SyncRun.State.FINISHED
    assert progress_of(theirs, now=timezone.now()).recorded == 2


@pytest.mark.parametrize("state", [DiscogsConnection.State.PRIVATE, DiscogsConnection.State.GONE])
def test_release_check_works_without_collection(collector, state):
    DiscogsConnection.objects.update(state=state)
    runs.check_release(11, now=timezone.now())
    work_until_idle()
    assert job_of(11).state == PriceJob.State.RECORDED


def test_connection_without_credential_is_unused(collector, make_collector, generous_sandbox):
    DiscogsConnection.objects.update(state=DiscogsConnection.State.PRIVATE, credential="")
    import_all(make_collector(generous_sandbox, "other", release_ids=[11]))
    runs.check_release(11, now=timezone.now())
    work_until_idle()
    assert job_of(11).state == PriceJob.State.RECORDED
    assert DiscogsConnection.objects.get(user=collector).state == DiscogsConnection.State.PRIVATE


def test_result_after_a_lost_lease_is_dropped(collector, generous_sandbox):
    from pricing.sync.recorder import gone, record_market

    sync(collector)
    feeder.feed(now=timezone.now())
    job = job_of(11)
    job.lease_owner = "00000000-0000-0000-0000-000000000001"
    assert record_market(job, gone(11), duration_ms=1, requests=1, now=timezone.now()) is False
    assert not PriceSnapshot.objects.exists()


def test_shared_releases_share_every_request(make_collector, generous_sandbox):
    users = [make_collector(generous_sandbox, name, release_ids=range(500, 600)) for name in ("one", "two")]
    for user in users:
        import_all(user)
    generous_sandbox.reset("stats")
    both = [sync(user) for user in users]
    work_until_idle()
    assert generous_sandbox.stats()["accepted"] == 100
    assert generous_sandbox.stats()["per_release"]["max"] == 1
    assert [progress_of(run, now=timezone.now()).known for run in both] == [100, 100]
