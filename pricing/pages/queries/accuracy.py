"""How right the value is: the band, what narrows it, and what past runs found beside what was expected of them."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from pricing.models import SyncRun
from pricing.precision.calibration import is_covered
from pricing.precision.estimator import half_width
from pricing.value.accuracy import Accuracy, accuracy_for
from pricing.value.band import Narrowing, max_requests, narrowing_of
from pricing.value.current import value_for
from pricing.value.freshness import Freshness, fresh_for
from pricing.value.valuation import Value

RUNS = 20  # the newest that are shown


@dataclass(frozen=True, slots=True)
class Offer:
    """The requests that would narrow the band, and how long they take at the limit."""

    plan: Narrowing
    seconds: float


@dataclass(frozen=True, slots=True)
class PredictedRun:
    """A finished run: the half-width of the band that was expected of it, and the change that it found."""

    run: SyncRun
    half_minor: float
    found_minor: int
    is_covered: bool


@dataclass(frozen=True, slots=True)
class AccuracyPage:
    value: Value
    accuracy: Accuracy
    runs: list[PredictedRun]

    @property
    def offer(self) -> Offer | None:
        return offer_of(self.accuracy)

    @property
    def covered(self) -> int:
        """How many of the runs shown ended within their band."""
        return sum(run.is_covered for run in self.runs)

    @property
    def fresh_seconds(self) -> float:
        """How long a price counts as fresh."""
        return fresh_for().total_seconds()

    @property
    def fresh(self) -> int:
        """Copies whose price is fresh."""
        return self.value.states.get(Freshness.FRESH, 0)


def accuracy_page_for(user_id: int, *, now: datetime) -> AccuracyPage:
    """Six queries; five if every copy has a price."""
    accuracy = accuracy_for(user_id, now=now)
    scale = accuracy.calibrated.scale
    return AccuracyPage(value_for(user_id, now=now), accuracy, _predicted_runs(user_id, scale=scale))


def narrowing_for(user_id: int, *, now: datetime) -> Narrowing | None:
    """The requests that would narrow a user's band; None if none would by much."""
    offer = offer_of(accuracy_for(user_id, now=now))
    return offer.plan if offer else None


def offer_of(accuracy: Accuracy) -> Offer | None:
    """What narrows the band; nothing while the band is too narrow to be shown."""
    if accuracy.band is None or not accuracy.band.is_shown:
        return None
    window, limit = settings.DISCOGS_RATE_WINDOW, settings.DISCOGS_RATE_LIMIT
    most = max_requests(limit=limit, window_seconds=window)
    plan = narrowing_of(accuracy.parts, scale=accuracy.calibrated.scale, limit=most)
    return Offer(plan, plan.requests * window / limit) if plan else None


def _predicted_runs(user_id: int, *, scale: float) -> list[PredictedRun]:
    finished = SyncRun.objects.of(user_id).filter(state=SyncRun.State.FINISHED, expected_variance__gt=0)
    return [_predicted(run, scale=scale) for run in finished.order_by("-created_at")[:RUNS]]


def _predicted(run: SyncRun, *, scale: float) -> PredictedRun:
    variance, found = run.expected_variance or 0.0, run.found_minor or 0
    covered = is_covered(found, variance, scale=scale)
    return PredictedRun(run, half_width(variance, scale=scale), found, covered)
