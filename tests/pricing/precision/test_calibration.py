import math
from datetime import UTC, date, datetime, timedelta

import pytest

from pricing.models import Calibration, PriceJob
from pricing.precision import calibration
from pricing.precision.calibration import Calibrated, calibrated, is_covered, z_squared
from tests import factories as make

DAY = timedelta(days=1)
NOW = datetime(2027, 3, 28, 0, 5, tzinfo=UTC)
YESTERDAY = date(2027, 3, 27)


@pytest.mark.parametrize(
    ("before", "after", "variance", "expected"),
    [
        (1_000, 1_000, 0.01, 0.0),
        (1_000, 1_105, 0.01, math.log(1.105) ** 2 / 0.01),
        (1_000, 905, 0.04, math.log(0.905) ** 2 / 0.04),
        (1_000, 90_000, 0.5, math.log(3) ** 2 / 0.5),
        (0, 1, 0.5, 0.0),
    ],
)
def test_z_squared_is_change_over_variance(before, after, variance, expected):
    assert z_squared(before_minor=before, after_minor=after, variance=variance) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("sums", "scale"),
    [(Calibrated(), 1.0), (Calibrated(100, 300.0), 2.0), (Calibrated(9_900, 4_900.0), 0.5)],
)
def test_scale_is_shrunk_to_one(sums, scale):
    assert sums.scale == pytest.approx(scale)


def test_nothing_calibrated_has_no_figures():
    assert (Calibrated().mean_z2, Calibrated().covered_percent) == (None, None)
    assert (Calibrated(4, 2.0, 5, 4).mean_z2, Calibrated(4, 2.0, 5, 4).covered_percent) == (0.5, 80)


@pytest.mark.parametrize(
    ("found", "scale", "covered"),
    [(1_280, 1, True), (-1_280, 1, True), (1_281, 1, False), (1_281, 1.01, True)],
)
def test_run_is_covered_within_its_band(found, scale, covered):
    assert is_covered(found, 1_000.0**2, scale=scale) == covered


def add_job(finished_at, *, before=1_000, after=1_105, variance=0.01, **fields):
    release = make.make_release()
    return PriceJob.objects.create(
        release=release,
        state=PriceJob.State.RECORDED if after else PriceJob.State.NONE_FOR_SALE,
        created_at=finished_at,
        finished_at=finished_at,
        before_minor=before,
        before_variance=variance,
        after_minor=after,
        **fields,
    )


def add_run(finished_at, found, *, variance=1e6, state="finished"):
    run = make.make_run(make.make_connection(f"user-{found}-{finished_at}"), state, finished_at=finished_at)
    run.rose, run.fell, run.found_minor, run.expected_variance = 1, 0, found, variance
    run.save()


def rows():
    return list(
        Calibration.objects.order_by("day").values_list("day", "readings", "z2_sum", "bands", "covered")
    )


@pytest.mark.django_db
def test_day_is_computed_from_its_jobs_and_runs():
    noon = datetime(2027, 3, 27, 12, tzinfo=UTC)
    add_job(noon)
    add_job(noon + 12 * timedelta(hours=1) - timedelta(microseconds=1), before=1_000, after=1_000)
    add_job(noon - 13 * timedelta(hours=1))  # the day before
    add_job(noon + 12 * timedelta(hours=1))  # the day after
    add_job(noon, before=None, variance=None)
    add_job(noon, after=None)
    add_job(noon, variance=calibration.MIN_VARIANCE / 2)
    add_run(noon, 1_000)
    add_run(noon, -2_000)
    add_run(noon, 500, state="cancelled")
    add_run(noon, 0, variance=0.0)
    add_run(noon - DAY, 1_000)
    calibration.settle(YESTERDAY)
    assert rows() == [(YESTERDAY, 2, pytest.approx(math.log(1.105) ** 2 / 0.01), 2, 1)]


@pytest.mark.django_db
def test_renewing_again_changes_nothing():
    for ago in (1, 2, 5):
        add_job(NOW - ago * DAY, after=1_000 + 100 * ago)
        add_run(NOW - ago * DAY, 1_300)
    calibration.renew(now=NOW)
    first = rows()
    assert [row[0] for row in first] == [YESTERDAY - ago * DAY for ago in range(28, -1, -1)]
    assert sum(row[1] for row in first) == 3
    calibration.renew(now=NOW)
    assert rows() == first


@pytest.mark.django_db
def test_renewal_after_a_kill_is_the_same():
    for ago in range(1, 10):
        add_job(NOW - ago * DAY)
    calibration.renew(now=NOW)
    whole = rows()
    Calibration.objects.filter(day__gte=YESTERDAY - 4 * DAY).delete()  # what a killed process had not reached
    calibration.renew(now=NOW)
    assert rows() == whole


@pytest.mark.django_db
def test_newest_day_is_computed_again():
    calibration.renew(now=NOW)
    add_job(NOW - timedelta(minutes=10))  # committed after midnight
    calibration.renew(now=NOW + DAY)
    assert rows()[-2][:2] == (YESTERDAY, 1)
    assert rows()[-1][:2] == (YESTERDAY + DAY, 0)


@pytest.mark.django_db
def test_bands_are_checked_with_the_scale_known_before():
    Calibration.objects.create(day=YESTERDAY - DAY, readings=900, z2_sum=3_900, bands=0, covered=0)
    add_run(NOW - DAY, 2_000)  # beyond 1.28 x 1,000, within 1.28 x 2 x 1,000
    add_job(NOW - DAY, after=1_000)
    calibration.settle(YESTERDAY)
    assert rows()[-1][3:] == (1, 1)


@pytest.mark.django_db
def test_calibrated_sums_ninety_days(django_assert_num_queries):
    for ago in (0, 89, 90):
        Calibration.objects.create(day=NOW.date() - ago * DAY, readings=2, z2_sum=3.0, bands=5, covered=4)
    with django_assert_num_queries(1):
        assert calibrated(now=NOW) == Calibrated(4, 6.0, 10, 8)
