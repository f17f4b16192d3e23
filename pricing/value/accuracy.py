"""How sure the total of some copies is, and what it leaves out: the queries behind `value.band`. docs/refresh.md."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, DateTimeField, F, Max, QuerySet, Sum, Value
from django.db.models.functions import Greatest

from collections_app.models import CollectionInstance
from pricing.models import ReleasePrice
from pricing.precision.calibration import Calibrated, calibrated
from pricing.precision.classes import Key, Prior
from pricing.precision.estimator import PRIOR_DAYS
from pricing.precision.order import AgeInDays
from pricing.precision.weights import class_of, read_priors
from pricing.value.band import Band, Part, band_of
from pricing.value.freshness import counted


@dataclass(frozen=True, slots=True)
class Missing:
    """The copies without a price, and what similar releases cost in all: from the 10th to the 90th percentile.

    The amounts are None as long as no class of releases is known.
    """

    copies: int = 0
    low_minor: int | None = None
    high_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The band of a total, the parts that the total consists of, and the copies outside of it."""

    band: Band | None  # None: no copy has a price
    parts: list[Part]
    missing: Missing
    calibrated: Calibrated  # which scaled the band


def accuracy_for(user_id: int, *, now: datetime) -> Accuracy:
    return accuracy_of(CollectionInstance.objects.of(user_id).held(), now=now)


def accuracy_of(copies: "QuerySet[CollectionInstance]", *, now: datetime) -> Accuracy:
    """Of any copies: three queries, one more if some have no price."""
    known, parts = calibrated(now=now), parts_of(copies, now=now)
    return Accuracy(band_of(parts, scale=known.scale), parts, missing_of(copies, now=now), known)


def parts_of(copies: "QuerySet[CollectionInstance]", *, now: datetime) -> list[Part]:
    """The releases whose price counts, each with its worth and the variance that its age has added. One query."""
    price = "release__price__"
    # The twin of `estimator.variance_per_day`.
    learned = Value(PRIOR_DAYS) * F(f"{price}prior_variance") + F(f"{price}s2")
    per_day = learned / (Value(PRIOR_DAYS) + F(f"{price}exposure_days"))
    age = Greatest(AgeInDays(Value(now, DateTimeField()), F(f"{price}observed_at")), Value(0.0))
    rows = (
        copies.filter(counted(now))
        .order_by()
        .values("release_id")
        .annotate(worth=Sum(f"{price}amount_minor"), variance=Max(per_day * age))
        .values_list("release_id", "worth", "variance")
    )
    return [Part(*row) for row in rows]


def missing_of(copies: "QuerySet[CollectionInstance]", *, now: datetime) -> Missing:
    """One query, and one for the classes if some copies have no price."""
    rows = (
        copies.exclude(counted(now))
        .order_by()
        .values_list("release__price__num_for_sale", "release__price__last_minor")
        .annotate(copies=Count("pk"))
    )
    unpriced = list(rows)
    return missing_in(unpriced, read_priors()) if unpriced else Missing()


def missing_in(
    unpriced: Iterable[tuple[int | None, int | None, int]], priors: Mapping[Key, Prior]
) -> Missing:
    """Copies without a price, as (number for sale, last price, copies), beside the classes of similar releases.

    A release whose class has no members is like the largest class of all.
    """
    largest = max(priors.values(), key=lambda prior: prior.releases, default=None)
    copies = low = high = 0
    for num_for_sale, last_minor, count in unpriced:
        price = ReleasePrice(num_for_sale=num_for_sale, last_minor=last_minor)
        prior = class_of(price, priors) or largest
        copies += count
        low += count * prior.p10_minor if prior else 0
        high += count * prior.p90_minor if prior else 0
    return Missing(copies, low, high) if largest else Missing(copies)
