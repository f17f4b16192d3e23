"""A run that narrows a band, from the click to the half-width reached, against the sandbox."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pricing.models import Calibration, PriceJob, ReleasePrice, SyncRun, ValueRequest
from pricing.pages.queries import accuracy_page_for, narrowing_for
from pricing.precision import calibration, weights
from pricing.sync import runs, value_requests
from pricing.value.accuracy import accuracy_for
from tests.pricing.engine import import_all, work_until_idle

pytestmark = pytest.mark.django_db(transaction=True)
RELEASES = [21, 22, 23, 24]


@pytest.fixture
def collector(make_collector, generous_sandbox):
    """Four prices of $10.00 that are five days old; two of them move faster than the others."""
    user = make_collector(generous_sandbox, release_ids=RELEASES)
    for release in RELEASES:
        generous_sandbox.set_market(release, lowest_price="10.00", num_for_sale=3)
    import_all(user)
    runs.start_sync(user, trigger=SyncRun.Trigger.CLICK, now=timezone.now(), import_first=False)
    work_until_idle()
    work_off_values()
    ReleasePrice.objects.update(observed_at=timezone.now() - timedelta(days=5), prior_variance=0.0001)
    ReleasePrice.objects.filter(pk__in=(22, 24)).update(prior_variance=0.04)
    generous_sandbox.set_market(22, lowest_price="12.50", num_for_sale=3)
    generous_sandbox.set_market(24, lowest_price="9.00", num_for_sale=3)
    generous_sandbox.reset("stats")
    return user


def work_off_values() -> None:
    while request := ValueRequest.objects.filter(due_at__lte=timezone.now()).first():
        value_requests.work(request.pk, now=timezone.now())


def test_narrowing_reaches_what_was_predicted(collector, generous_sandbox):
    plan = narrowing_for(collector.pk, now=timezone.now())
    assert set(plan.release_ids) == {22, 24}
    run = runs.start_narrowing(collector.pk, plan, now=timezone.now())
    work_until_idle()
    work_off_values()
    run.refresh_from_db()
    assert run.state == SyncRun.State.FINISHED
    assert generous_sandbox.stats()["accepted"] == 2
    assert (run.rose, run.fell, run.found_minor) == (1, 1, 150)
    assert run.expected_variance == pytest.approx(2 * 1_000.0**2 * 0.04 * 5, rel=0.01)
    assert run.reached_half_minor == pytest.approx(run.predicted_half_minor, abs=2)
    assert run.reached_half_minor < run.half_before_minor / 4
    band = accuracy_for(collector.pk, now=timezone.now()).band
    assert round(band.half_minor) == pytest.approx(run.reached_half_minor, abs=1)


def test_run_is_compared_with_its_prediction(collector):
    runs.start_narrowing(collector.pk, narrowing_for(collector.pk, now=timezone.now()), now=timezone.now())
    work_until_idle()
    work_off_values()
    [shown] = accuracy_page_for(collector.pk, now=timezone.now()).runs
    assert (shown.found_minor, shown.is_covered) == (150, True)


def test_job_keeps_the_price_it_found(collector):
    runs.start_narrowing(collector.pk, narrowing_for(collector.pk, now=timezone.now()), now=timezone.now())
    work_until_idle()
    job = PriceJob.objects.filter(release_id=22).latest("pk")
    assert (job.before_minor, job.after_minor) == (1_000, 1_250)


def test_unsold_release_has_no_price_found(collector, generous_sandbox):
    generous_sandbox.set_market(22, lowest_price=None)
    runs.start_narrowing(collector.pk, narrowing_for(collector.pk, now=timezone.now()), now=timezone.now())
    work_until_idle()
    job = PriceJob.objects.filter(release_id=22).latest("pk")
    assert (job.state, job.before_minor, job.after_minor) == ("none_for_sale", 1_000, None)


def test_nightly_pass_calibrates(collector):
    runs.start_narrowing(collector.pk, narrowing_for(collector.pk, now=timezone.now()), now=timezone.now())
    work_until_idle()
    work_off_values()
    tomorrow = timezone.now() + timedelta(days=1)
    weights.begin_pass(now=tomorrow)
    row = Calibration.objects.latest("day")
    assert (row.readings, row.bands, row.covered) == (2, 1, 1)
    assert calibration.calibrated(now=tomorrow).readings == 2
