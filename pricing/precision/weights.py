"""Renew the weight, prior and urgency of every release, and the threshold of scheduled runs. docs/refresh.md.

Nightly for all releases: a pass of short steps, each a queued task, so that neither the supervisor nor a worker is held
up. The place is kept in one row; a step that is lost is queued again, and one that runs twice changes nothing.
After a sync that was not scheduled: for the releases of its user alone.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.db.models import Count, Q, Sum

from collections_app.models import CollectionInstance, Decision, DiscogsConnection, Preferences
from collections_app.times import is_recent
from pricing.models import MarketClass, OwnerTotal, ReleasePrice, WeightPass
from pricing.models.prices import DEFAULT_VARIANCE
from pricing.precision import calibration
from pricing.precision.classes import Key, Members, Prior, key_of, listings_band, priors_of
from pricing.precision.estimator import Learned, in_days, share_squared, urgency, variance_per_day
from pricing.precision.order import UNSELLABLE
from pricing.precision.threshold import Alike, threshold_for, wanted_per_day

NEVER_COUNTED = Q(price_decision=Decision.NEVER)  # it adds nothing to its owner's total
BATCH = 2_000  # releases in one transaction
STEP_IS_LOST = timedelta(minutes=3)  # after this long without a step, its task is queued again
CHUNK = 20_000  # rows fetched from the database at a time
DAY_SECONDS = 86_400
# A stored weight is replaced if its urgency changes by more than this share: most nights most do not.
NEGLIGIBLE = 0.01


@dataclass(frozen=True, slots=True)
class Held:
    """The copies of a release that one owner holds."""

    connection_id: int
    copies: int


@dataclass(frozen=True, slots=True)
class World:
    """What a step needs of all owners and classes: small, and read once for each step."""

    totals: Mapping[int, int]  # minor units, by connection
    hours: Mapping[int, int]  # sync interval, by connection; absent: none is scheduled
    priors: Mapping[Key, Prior]


def renew_of(user_id: int) -> None:
    """Renew the total of a user, and the weights of the releases that the user holds. A few queries for each BATCH."""
    _renew_totals(DiscogsConnection.objects.filter(user_id=user_id))
    world = read_world()
    ids = sorted(set(CollectionInstance.objects.of(user_id).held().release_ids()))
    for start in range(0, len(ids), BATCH):
        prices = ReleasePrice.objects.filter(pk__in=ids[start : start + BATCH])
        _write(renewed(prices, _holdings(ids[start : start + BATCH]), world))


# The nightly pass -----------------------------------------------------------------------------------


def begin_pass(*, now: datetime) -> WeightPass:
    """The pass of this UTC day, begun if it was not."""
    day = now.astimezone(UTC).date()
    row, _ = WeightPass.objects.get_or_create(pk=WeightPass.ONLY, defaults={"day": day, "stepped_at": now})
    if row.day != day or row.cursor < 0:
        _renew_totals(DiscogsConnection.objects.all())
        _renew_classes()
        calibration.renew(now=now)
        fields = {"day": day, "cursor": 0, "finished_at": None, "stepped_at": now}
        WeightPass.objects.filter(pk=row.pk, cursor=row.cursor, day=row.day).update(**fields)
        row.refresh_from_db()
    return row


def step(row: WeightPass, world: World, *, now: datetime) -> bool:
    """Renew the next BATCH of releases; returns whether there are more.

    The place and the weights are written together, and only if no other process has taken this step meanwhile.
    """
    prices = list(ReleasePrice.objects.filter(pk__gt=row.cursor).order_by("pk")[:BATCH])
    if not prices:
        return finish_pass(row, now=now)
    changed = list(renewed(prices, _holdings([price.pk for price in prices]), world))
    cursor, before = prices[-1].pk, row.cursor
    with transaction.atomic():
        mine = WeightPass.objects.filter(pk=row.pk, day=row.day, cursor=before, finished_at__isnull=True)
        if not mine.update(cursor=cursor, stepped_at=now):
            return False
        _write(changed)
    row.cursor = cursor
    return True


def finish_pass(row: WeightPass, *, now: datetime) -> bool:
    """Store the threshold; returns False, since nothing is left to do."""
    allowed = settings.DISCOGS_RATE_LIMIT * DAY_SECONDS / settings.DISCOGS_RATE_WINDOW
    demand = read_demand(now=now)
    WeightPass.objects.filter(pk=row.pk, day=row.day, cursor=row.cursor).update(
        threshold=threshold_for(demand, allowed_per_day=allowed),
        wanted_per_day=wanted_per_day(demand),
        finished_at=now,
        stepped_at=now,
    )
    return False


def is_complete(*, now: datetime) -> bool:
    """Whether the pass of this UTC day is complete."""
    today = WeightPass.objects.filter(pk=WeightPass.ONLY, day=now.astimezone(UTC).date())
    return today.filter(finished_at__isnull=False).exists()


def is_at_work(*, now: datetime) -> bool:
    """Whether a step was made so recently that its task still works, or the next one waits for its turn."""
    recent = is_recent("stepped_at", now=now, within=STEP_IS_LOST)
    return WeightPass.objects.filter(recent, pk=WeightPass.ONLY, finished_at__isnull=True).exists()


def threshold() -> float:
    """The index from which a scheduled run fetches a release: one query."""
    return WeightPass.objects.filter(pk=WeightPass.ONLY).values_list("threshold", flat=True).first() or 0.0


def read_demand(*, now: datetime) -> Counter[Alike]:
    """How many releases are alike, of those that scheduled runs fetch: one query, and a few bytes for each kind."""
    demand = Counter[Alike]()
    rows = ReleasePrice.objects.filter(interval_hours__isnull=False).exclude(status__in=UNSELLABLE)
    columns = rows.values_list("observed_at", "urgency", "interval_hours")
    for observed_at, urgent, hours in columns.iterator(CHUNK):
        age = in_days(now - observed_at)
        demand[Alike.of(age_days=age, urgency=urgent, interval_hours=hours or 0)] += 1
    return demand


def prior_variance(num_for_sale: int | None, price_minor: int) -> float:
    """The variance per day of the class of a release without earlier prices: one query."""
    listings_band, price_band = key_of(num_for_sale, price_minor)
    rows = MarketClass.objects.filter(listings_band=listings_band, price_band=price_band)
    return rows.values_list("variance", flat=True).first() or DEFAULT_VARIANCE


# What the steps share -------------------------------------------------------------------------------


def read_world() -> World:
    """Three queries."""
    active = DiscogsConnection.objects.filter(state=DiscogsConnection.State.ACTIVE, user__is_active=True)
    chosen = active.values_list("pk", "user__preferences__sync_every_hours")
    return World(
        totals=dict(OwnerTotal.objects.values_list("pk", "amount_minor")),
        hours={
            pk: hours
            for pk, every in chosen
            if (hours := int(Preferences.SyncEvery.DAY if every is None else every))
            != Preferences.SyncEvery.NEVER
        },
        priors=read_priors(),
    )


def read_priors() -> dict[Key, Prior]:
    """The classes, at most 25: one query."""
    return {(row.listings_band, row.price_band): _as_prior(row) for row in MarketClass.objects.all()}


def _as_prior(row: MarketClass) -> Prior:
    return Prior(
        row.releases,
        row.s2,
        row.exposure_days,
        row.variance,
        row.p10_minor,
        row.median_minor,
        row.p90_minor,
    )


def _renew_totals(connections: Iterable[DiscogsConnection]) -> None:
    """Store each owner's total of last prices. One query that reads the copies, one that writes."""
    held = CollectionInstance.objects.held().filter(connection__in=connections).exclude(NEVER_COUNTED)
    sums = held.order_by().values_list("connection").annotate(amount=Sum("release__price__last_minor"))
    rows = [OwnerTotal(pk=connection, amount_minor=amount or 0) for connection, amount in sums]
    OwnerTotal.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["connection"], update_fields=["amount_minor"]
    )


def _renew_classes() -> None:
    """Store each class's sums and percentiles, from one pass over all prices that keeps 8 bytes of each."""
    classes: dict[Key, Members] = defaultdict(Members)
    columns = ReleasePrice.objects.values_list("num_for_sale", "last_minor", "s2", "exposure_days")
    for num_for_sale, price_minor, s2, exposure_days in columns.iterator(CHUNK):
        if price_minor is not None:
            classes[key_of(num_for_sale, price_minor)].add(price_minor, Learned(s2, exposure_days))
    with transaction.atomic():
        MarketClass.objects.all().delete()
        MarketClass.objects.bulk_create(
            MarketClass(
                listings_band=key[0],
                price_band=key[1],
                releases=prior.releases,
                s2=prior.s2,
                exposure_days=prior.exposure_days,
                variance=prior.variance,
                p10_minor=prior.p10_minor,
                median_minor=prior.median_minor,
                p90_minor=prior.p90_minor,
            )
            for key, prior in priors_of(classes, default=DEFAULT_VARIANCE).items()
        )


def renewed(
    prices: Iterable[ReleasePrice], held: Mapping[int, Sequence[Held]], world: World
) -> Iterator[ReleasePrice]:
    """The prices whose urgency or interval changes, with their new values. No query."""
    for price in prices:
        owners = held.get(price.pk, ())
        prior = class_of(price, world.priors)
        amount = price.last_minor or (prior.median_minor if prior else 0)
        weight = sum(
            share_squared(owner.copies, amount, world.totals.get(owner.connection_id, 0)) for owner in owners
        )
        prior_variance = prior.variance if prior else price.prior_variance
        known = Learned(price.s2, price.exposure_days)
        urgent = urgency(weight, variance_per_day(known, prior=prior_variance))
        intervals = (world.hours.get(owner.connection_id) for owner in owners)
        hours = min((each for each in intervals if each), default=None)
        if abs(urgent - price.urgency) > NEGLIGIBLE * price.urgency or hours != price.interval_hours:
            price.weight, price.prior_variance, price.urgency = weight, prior_variance, urgent
            price.interval_hours = hours
            yield price


def class_of(price: ReleasePrice, priors: Mapping[Key, Prior]) -> Prior | None:
    """The class of a release; if it never had a price, the largest class with as many listings."""
    if price.last_minor is not None:
        return priors.get(key_of(price.num_for_sale, price.last_minor))
    band = listings_band(price.num_for_sale)
    alike = [prior for key, prior in priors.items() if key[0] == band]
    return max(alike, key=lambda prior: prior.releases, default=None)


def _holdings(release_ids: list[int]) -> dict[int, list[Held]]:
    copies = CollectionInstance.objects.held().filter(release__in=release_ids).exclude(NEVER_COUNTED)
    held = defaultdict[int, list[Held]](list)
    rows = copies.order_by().values_list("release", "connection").annotate(copies=Count("pk"))
    for release, connection, count in rows.iterator(CHUNK):
        held[release].append(Held(connection, count))
    return held


def _write(prices: Iterable[ReleasePrice]) -> None:
    """Update four columns of many rows: `bulk_update` builds a CASE for each and takes ten times as long."""
    rows = [
        (price.weight, price.prior_variance, price.urgency, price.interval_hours, price.pk)
        for price in prices
    ]
    with database.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {ReleasePrice._meta.db_table}"  # noqa: S608 the name of a table of ours
            " SET weight = %s, prior_variance = %s, urgency = %s, interval_hours = %s WHERE release_id = %s",
            rows,
        )
