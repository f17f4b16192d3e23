"""Calibration: how well variances predicted what readings found, and whether the bands held. docs/refresh.md.

For a reading z² = r² / (v × age), with r the change of the log price: 1 on average if the variances are right, so the
mean of recent ones scales every variance that a page shows. Each day's row is computed from its jobs and runs as a
whole, so computing it twice, or after a process was killed, changes nothing.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Max, Sum

from pricing.models import Calibration, PriceJob, SyncRun
from pricing.precision.estimator import MAX_CHANGE, half_width, log_change

WINDOW = timedelta(days=90)
PSEUDO_READINGS = 100  # with z² = 1, so that the first readings do not decide
# A reading whose expected change is less than 1 % says nothing: prices move by whole cents.
MIN_VARIANCE = 0.0001
RECOMPUTED = timedelta(days=29)  # jobs are kept for 30 days
ONE_DAY = timedelta(days=1)
CHUNK = 5_000  # rows fetched at a time


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The sums over a time."""

    readings: int = 0
    z2_sum: float = 0.0
    bands: int = 0
    covered: int = 0

    @property
    def scale(self) -> float:
        """The factor by which variances are multiplied."""
        return (self.z2_sum + PSEUDO_READINGS) / (self.readings + PSEUDO_READINGS)

    @property
    def mean_z2(self) -> float | None:
        return self.z2_sum / self.readings if self.readings else None

    @property
    def covered_percent(self) -> float | None:
        return self.covered * 100 / self.bands if self.bands else None


def z_squared(*, before_minor: int, after_minor: int, variance: float) -> float:
    """z² of a reading; the change counts up to MAX_CHANGE, as where the variance was learned."""
    change = min(abs(log_change(before_minor, after_minor)), MAX_CHANGE)
    return change * change / variance


def is_covered(found_minor: int, expected_variance: float, *, scale: float) -> bool:
    """Whether what a run found lies within the band predicted for it."""
    return abs(found_minor) <= half_width(expected_variance, scale=scale)


def calibrated(*, now: datetime) -> Calibrated:
    """The last 90 days: one query."""
    return _before(now.astimezone(UTC).date() + ONE_DAY)


def _before(day: date) -> Calibrated:
    rows = Calibration.objects.filter(day__gte=day - WINDOW, day__lt=day)
    sums = rows.aggregate(
        readings=Sum("readings"), z2_sum=Sum("z2_sum"), bands=Sum("bands"), covered=Sum("covered")
    )
    return Calibrated(**{name: amount or 0 for name, amount in sums.items()})


def renew(*, now: datetime) -> None:
    """Compute the days that have no row yet, and the newest one again: its last runs may have ended after it."""
    today = now.astimezone(UTC).date()
    newest = Calibration.objects.filter(day__lt=today).aggregate(day=Max("day"))["day"]
    day = max(newest, today - RECOMPUTED) if newest else today - RECOMPUTED
    while day < today:
        settle(day)
        day += ONE_DAY


def settle(day: date) -> None:
    """Store the row of one UTC day."""
    start = datetime.combine(day, time.min, UTC)
    within = {"finished_at__gte": start, "finished_at__lt": start + ONE_DAY}
    readings, z2_sum = _readings(within)
    bands, covered = _bands(within, scale=_before(day).scale)
    values = {"readings": readings, "z2_sum": z2_sum, "bands": bands, "covered": covered}
    Calibration.objects.update_or_create(day=day, defaults=values)


def _readings(within: dict[str, datetime]) -> tuple[int, float]:
    jobs = PriceJob.objects.filter(
        **within, before_variance__gte=MIN_VARIANCE, before_minor__isnull=False, after_minor__isnull=False
    )
    readings, z2_sum = 0, 0.0
    columns = jobs.values_list("before_minor", "after_minor", "before_variance")
    for before, after, variance in columns.iterator(CHUNK):
        readings += 1
        z2_sum += z_squared(before_minor=before or 0, after_minor=after or 0, variance=variance or 1.0)
    return readings, z2_sum


def _bands(within: dict[str, datetime], *, scale: float) -> tuple[int, int]:
    """How many finished runs had a band, and how many of those it held."""
    runs = SyncRun.objects.filter(**within, state=SyncRun.State.FINISHED, expected_variance__gt=0)
    held = [
        is_covered(found or 0, variance or 0.0, scale=scale)
        for found, variance in runs.values_list("found_minor", "expected_variance")
    ]
    return len(held), sum(held)
