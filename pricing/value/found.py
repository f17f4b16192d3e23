"""What a run found in its user's copies: rises, falls, and the change of the total beside the one expected."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce

from collections_app.models import CollectionInstance
from pricing.models import SyncRun
from pricing.value.accuracy import accuracy_for


class Reading(NamedTuple):
    """One release that was fetched: its price before and after, and the variance of its log price as known before."""

    before_minor: int
    after_minor: int
    variance: float
    copies: int


@dataclass(frozen=True, slots=True)
class Found:
    """`change_minor` is that of the copies' worth; `expected_variance` is its variance, in squared minor units."""

    rose: int = 0
    fell: int = 0
    change_minor: int = 0
    expected_variance: float = 0.0


def found_in(readings: Iterable[Reading]) -> Found:
    """The sum over readings; a release of which no copy is held does not count."""
    rose = fell = change = 0
    variance = 0.0
    for reading in readings:
        if reading.copies:
            moved = reading.after_minor - reading.before_minor
            rose += moved > 0
            fell += moved < 0
            change += reading.copies * moved
            variance += float(reading.copies * reading.before_minor) ** 2 * reading.variance
    return Found(rose, fell, change, variance)


def found_by(run: SyncRun) -> Found:
    """What a run has found: as stored, otherwise from what it has fetched so far. One query."""
    if run.is_active or run.rose is None:
        return found_in(_readings_of(run))
    return Found(run.rose, run.fell or 0, run.found_minor or 0, run.expected_variance or 0.0)


def _readings_of(run: SyncRun) -> list[Reading]:
    held = CollectionInstance.objects.of(run.user_id or 0).held().filter(release=OuterRef("release"))
    copies = held.order_by().values("release").annotate(number=Count("pk")).values("number")
    fetched = run.items.filter(job__before_minor__isnull=False, job__after_minor__isnull=False)
    rows = fetched.annotate(copies=Coalesce(Subquery(copies), 0)).values_list(
        "job__before_minor", "job__after_minor", "job__before_variance", "copies"
    )
    return [
        Reading(before or 0, after or 0, variance or 0.0, number) for before, after, variance, number in rows
    ]


def store_found(run: SyncRun, *, now: datetime) -> None:
    """Store what a finished run of a user has found, and the half-width that a narrowing one has reached."""
    found = found_in(_readings_of(run))
    values: dict[str, int | float] = {
        "rose": found.rose,
        "fell": found.fell,
        "found_minor": found.change_minor,
        "expected_variance": found.expected_variance,
    }
    if run.is_narrowing:
        band = accuracy_for(run.user_id or 0, now=now).band
        values["reached_half_minor"] = round(band.half_minor) if band else 0
    SyncRun.objects.filter(pk=run.pk).update(**values)
