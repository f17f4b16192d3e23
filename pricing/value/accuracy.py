"""How sure the total of some copies is, and what it leaves out: the queries behind `value.band`. docs/refresh.md."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Case, DateTimeField, F, FloatField, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Greatest

from collections_app.models import CollectionInstance
from pricing.models import ReleasePrice
from pricing.precision.calibration import Calibrated, calibrated
from pricing.precision.classes import Key, Prior
from pricing.precision.estimator import PRIOR_DAYS
from pricing.precision.order import AgeInDays
from pricing.precision.weights import class_of, read_priors
from pricing.value.band import Band, Narrowing, Part, band_of, max_requests, narrowing_of
from pricing.value.cascade import Basis, Source
from pricing.value.worth import with_worth

_PRICE = "release__price__"
_COLUMNS = [f"{_PRICE}{name}" for name in ("num_for_sale", "last_minor")]


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
    """The band of a total, what would narrow it, and the copies outside of it."""

    band: Band | None  # None: no copy has a price
    narrowing: Narrowing | None  # None: the band is not shown, or would hardly become narrower
    missing: Missing
    calibrated: Calibrated  # which scaled the band


def accuracy_for(user_id: int, *, now: datetime, basis: Basis = Basis.FLOOR) -> Accuracy:
    return accuracy_of(CollectionInstance.objects.of(user_id).held(), now=now, basis=basis)


def accuracy_of(copies: "QuerySet[Any]", *, now: datetime, basis: Basis = Basis.FLOOR) -> Accuracy:
    """Of any copies: two queries, one more if some have no price."""
    known = calibrated(now=now)
    parts, unpriced = read_parts(copies, now=now, basis=basis)
    missing = missing_in(unpriced, read_priors()) if unpriced else Missing()
    band = band_of(parts, scale=known.scale)
    limit = max_requests(limit=settings.DISCOGS_RATE_LIMIT, window_seconds=settings.DISCOGS_RATE_WINDOW)
    is_offered = band is not None and band.is_shown
    narrowing = narrowing_of(parts, scale=known.scale, limit=limit) if is_offered else None
    return Accuracy(band, narrowing, missing, known)


def read_parts(
    copies: "QuerySet[Any]", *, now: datetime, basis: Basis = Basis.FLOOR
) -> tuple[list[Part], list[tuple[int | None, int | None, int]]]:
    """The parts of the total, and the copies outside of it as (number for sale, last price, copies).

    One query without a condition on prices: with one, the databases read the prices of the whole site first. The rows
    are added up here, since GROUP BY takes longer.
    """
    valued = with_worth(copies.order_by(), basis, at=now).annotate(variance=variance_at(now))
    worth, unpriced = Counter[tuple[int, float]](), Counter[tuple[int | None, int | None]]()
    for release, amount, variance, *facts in valued.values_list("release_id", "worth", "variance", *_COLUMNS):
        if amount is None:
            num_for_sale, last_minor = facts
            unpriced[num_for_sale, last_minor] += 1
        else:
            worth[release, variance] += amount
    parts = [Part(release, amount, variance) for (release, variance), amount in worth.items()]
    return parts, [(*key, number) for key, number in unpriced.items()]


def variance_at(now: datetime) -> Combinable:
    """The variance that the age of a copy's figure has added to its log; none for a figure of its owner.

    The twin of `estimator.variance_per_day` × age. `now` is the moment for which `source` was annotated.
    """
    learned = Value(PRIOR_DAYS) * F(f"{_PRICE}prior_variance") + F(f"{_PRICE}s2")
    per_day = learned / (Value(PRIOR_DAYS) + F(f"{_PRICE}exposure_days"))
    read_at = {Source.GRADE: "near_mint_at", Source.CARRIED: "last_priced_at"}
    whens = (When(source=source, then=F(f"{_PRICE}{name}")) for source, name in read_at.items())
    since = Case(*whens, default=F(f"{_PRICE}observed_at"), output_field=DateTimeField())
    varied = per_day * Greatest(AgeInDays(Value(now, DateTimeField()), since), Value(0.0))
    return Case(When(source=Source.OWN, then=Value(0.0)), default=varied, output_field=FloatField())


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
