"""How right the value is: the band, what narrows it, and what past runs found beside what was expected of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.db.models import Count, Max, QuerySet, Sum

from pricing.models import SyncRun
from pricing.precision.calibration import is_covered
from pricing.precision.estimator import half_width
from pricing.value.accuracy import Accuracy, accuracy_for
from pricing.value.band import Narrowing
from pricing.value.cascade import Basis
from pricing.value.current import value_for
from pricing.value.freshness import Freshness, fresh_for
from pricing.value.valuation import Value
from pricing.value.worth import with_worth

RUNS = 20  # the newest that are shown
KEPT_SECONDS = 300  # in which no price ages by much


@dataclass(frozen=True, slots=True)
class ViewTotals:
    """How many copies, the sum of those whose price counts (None or 0 if none does), and the newest reading."""

    copies: int
    amount_minor: int | None
    newest_at: datetime | None


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
    offer: Offer | None
    runs: list[PredictedRun]

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


def accuracy_page_for(user_id: int, *, now: datetime, basis: Basis = Basis.FLOOR) -> AccuracyPage:
    """Six queries; three when nothing has changed since the last time."""
    value = value_for(user_id, now=now, basis=basis)
    totals = ViewTotals(value.copies, value.amount_minor, value.as_of)
    accuracy = shown_accuracy(user_id, totals, now=now, basis=basis)
    runs = _predicted_runs(user_id, scale=accuracy.calibrated.scale)
    return AccuracyPage(value, accuracy, offer_of(accuracy), runs)


def totals_of(shown: "QuerySet[Any]", *, now: datetime, basis: Basis = Basis.FLOOR) -> ViewTotals:
    """The totals of some copies: one query."""
    return ViewTotals(
        **with_worth(shown, basis, at=now).aggregate(
            copies=Count("id"),
            amount_minor=Sum("worth"),
            newest_at=Max("release__price__observed_at"),
        )
    )


def shown_accuracy(
    user_id: int, totals: ViewTotals, *, now: datetime, basis: Basis = Basis.FLOOR
) -> Accuracy:
    """The accuracy of a user's whole collection: three queries, none when nothing has changed for some minutes.

    A new price, copy or expiry changes the totals.
    """
    if totals.newest_at is None:
        return accuracy_for(user_id, now=now, basis=basis)
    period = int(now.timestamp() // KEPT_SECONDS)
    seen = totals.newest_at.timestamp()
    key = f"accuracy:{user_id}:{basis}:{totals.copies}:{totals.amount_minor or 0}:{seen}:{period}"
    accuracy: Accuracy | None = caches["pages"].get(key)
    if accuracy is None:
        accuracy = accuracy_for(user_id, now=now, basis=basis)
        caches["pages"].set(key, accuracy)
    return accuracy


def narrowing_for(user_id: int, *, now: datetime) -> Narrowing | None:
    """The requests that would narrow the band of a user's lowest listings; None if none would by much.

    A request reads a lowest listing; suggestions are fetched while there is no other work.
    """
    return accuracy_for(user_id, now=now).narrowing


def offer_of(accuracy: Accuracy) -> Offer | None:
    plan = accuracy.narrowing
    if plan is None:
        return None
    return Offer(plan, plan.requests * settings.DISCOGS_RATE_WINDOW / settings.DISCOGS_RATE_LIMIT)


def _predicted_runs(user_id: int, *, scale: float) -> list[PredictedRun]:
    finished = SyncRun.objects.of(user_id).filter(state=SyncRun.State.FINISHED, expected_variance__gt=0)
    return [_predicted(run, scale=scale) for run in finished.order_by("-created_at")[:RUNS]]


def _predicted(run: SyncRun, *, scale: float) -> PredictedRun:
    variance, found = run.expected_variance or 0.0, run.found_minor or 0
    covered = is_covered(found, variance, scale=scale)
    return PredictedRun(run, half_width(variance, scale=scale), found, covered)
