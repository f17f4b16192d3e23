"""One release: its market now, its history, and the user's copies of it."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Exists, Min, OuterRef

from collections_app.connections.lookup import connection_of
from collections_app.models import CollectionField, CollectionInstance, Decision, Release, WantlistItem
from pricing.models import Doubt, PriceJob, PriceSnapshot, ReleasePrice
from pricing.money.convert import PRICE_CURRENCY
from pricing.pages.charts import Pill, Range, chart_data, choose, pills, start_of, thinned
from pricing.pages.holding import OwnCopy, own_copy
from pricing.pages.ladder import Ladder, ladder_of
from pricing.pages.queries.failures import failure_since, label_of, last_failures, next_try, reason_of
from pricing.pages.queries.history import TABLE_ROWS
from pricing.pages.statistics import Movement, Reading, Statistics, scarcity, statistics_of, wants_per_have
from pricing.precision.estimator import Learned
from pricing.value.current import state_of
from pricing.value.freshness import LISTED, PRICED, WITHHELD, Freshness


@dataclass(frozen=True, slots=True)
class ReleasePage:
    release: Release
    price: ReleasePrice | None
    state: Freshness
    currency: str
    copies: list[CollectionInstance]  # current copies first, then removed ones
    paid_field: str  # the user's name for the field that prices paid are read from
    is_wanted: bool
    span: Range
    pills: list[Pill]
    start: date  # of the range
    today: date
    snapshots: list[PriceSnapshot]
    first_day: date | None
    failure: PriceJob | None  # the last attempt, if it failed
    next_try: str
    suggested_minor: int | None = None  # for Near Mint, where the price is doubted because of it

    @property
    def failure_reason(self) -> str:
        return reason_of(self.failure) if self.failure else ""

    @property
    def amount_minor(self) -> int | None:
        """The price that counts now, the last one seen while none is for sale; None if no price counts."""
        if self.price is None or self.state not in PRICED:
            return None
        return self.price.last_minor if self.state == Freshness.CARRIED else self.price.amount_minor

    @property
    def lowest_minor(self) -> int | None:
        """The lowest listing now, also while it is doubted or its owner never counts it."""
        return self.price.amount_minor if self.price and self.state in (*LISTED, *WITHHELD) else None

    @property
    def is_listed(self) -> bool:
        """Whether the price that counts is a listing of now."""
        return self.state in LISTED

    @property
    def has_no_listing(self) -> bool:
        """Whether Discogs has answered that there is no price, for whichever reason."""
        return self.price is not None and self.price.amount_minor is None

    @property
    def decision(self) -> str:
        return _decision(self.copies)

    @property
    def is_doubted(self) -> bool:
        """Whether there is something to decide."""
        return self.price is not None and self.price.doubt != Doubt.NONE and self.state != Freshness.EXPIRED

    @property
    def has_jumped(self) -> bool:
        return self.price is not None and self.price.doubt == Doubt.JUMP

    @property
    def state_label(self) -> str:
        return label_of(self.state, has_failed=self.failure is not None)

    @property
    def own_copies(self) -> list[OwnCopy]:
        """The held copies, each with its value by grade where that is known."""
        held = [copy for copy in self.copies if copy.removed_at is None]
        return [own_copy(copy, self.price, state=self.state) for copy in held]

    @property
    def held(self) -> int:
        return len(self.own_copies)

    @property
    def held_minor(self) -> int:
        """What the held copies are worth together."""
        return sum(own.value.amount_minor or 0 for own in self.own_copies)

    @property
    def ladder(self) -> Ladder | None:
        near_mint = self.price.near_mint_minor if self.price else None
        grades = [own.copy.media_condition for own in self.own_copies]
        return ladder_of(near_mint, lowest_minor=self.lowest_minor, grades=grades)

    @property
    def statistics(self) -> Statistics:
        """Over the range. Doubted readings are left out."""
        return statistics_of(
            [_reading(row) for row in self.snapshots],
            newest=self._newest,
            now_minor=self.amount_minor,
            start=self.start,
            today=self.today,
            movement=self._movement,
        )

    @property
    def _newest(self) -> Reading | None:
        """The newest reading if its price counts: that can be for a decision of the owner alone."""
        if self.price is None or self.state not in LISTED:
            return None
        price = self.price
        return Reading(price.observed_at.date(), price.amount_minor, price.num_for_sale, price.want)

    @property
    def _movement(self) -> Movement | None:
        if self.price is None:
            return None
        return Movement(Learned(self.price.s2, self.price.exposure_days), self.price.prior_variance)

    @property
    def wants_per_have(self) -> int | None:
        return wants_per_have(self.price.want, self.price.have) if self.price else None

    @property
    def scarcity(self) -> int | None:
        return scarcity(self.price.num_for_sale, self.price.want) if self.price else None

    @property
    def is_demo(self) -> bool:
        return any(row.source == PriceSnapshot.Source.DEMO for row in self.snapshots)

    @property
    def chart(self) -> dict[str, list[int | None]]:
        fields = {"listings": "num_for_sale", "wants": "want"}
        columns = {name: [getattr(row, field) for row in self.snapshots] for name, field in fields.items()}
        price = [_believed(row) for row in self.snapshots]
        return chart_data([row.day for row in self.snapshots], price=price, **columns)

    @property
    def table(self) -> list[PriceSnapshot]:
        return thinned(self.snapshots, TABLE_ROWS)


def _believed(row: PriceSnapshot) -> int | None:
    return None if row.doubt else row.amount_minor


def _reading(row: PriceSnapshot) -> Reading:
    return Reading(row.day, _believed(row), row.num_for_sale, row.want, is_observed=not row.doubt)


def release_for(user_id: int, discogs_id: int, *, range_key: str, now: datetime) -> ReleasePage:
    """Six queries, two more for a release that failed.

    Raises Release.DoesNotExist unless the user owns it, owned it or wants it.
    """
    copies = CollectionInstance.objects.of(user_id).filter(release=OuterRef("pk"))
    wants = WantlistItem.objects.filter(connection__user_id=user_id, release=OuterRef("pk"))
    release = (
        Release.objects.filter(Exists(copies) | Exists(wants))
        .select_related("price")
        .annotate(is_wanted=Exists(wants))
        .get(pk=discogs_id)
    )
    price: ReleasePrice | None = getattr(release, "price", None)
    failure = failure_since(price, last_failures([release.pk]).get(release.pk))
    history = PriceSnapshot.objects.filter(release=release)
    first_day = history.aggregate(day=Min("day"))["day"]
    span = choose(range_key, today=now.date(), first_day=first_day)
    start = start_of(span, today=now.date(), first_day=first_day)
    own = _copies(user_id, release)
    return ReleasePage(
        release=release,
        price=price,
        state=state_of(price, _decision(own), now=now),
        currency=(price.currency if price else "") or PRICE_CURRENCY,
        copies=own,
        paid_field=_paid_field(user_id),
        is_wanted=release.is_wanted,
        span=span,
        pills=pills(span, today=now.date(), first_day=first_day),
        start=start,
        today=now.date(),
        snapshots=list(history.filter(day__gte=start).order_by("day")),
        first_day=first_day,
        failure=failure,
        next_try=next_try(connection_of(user_id), now=now) if failure else "",
        suggested_minor=price.near_mint_minor if price and price.doubt == Doubt.BELOW_SUGGESTION else None,
    )


def _decision(copies: list[CollectionInstance]) -> str:
    """What the owner has decided about the release: the same for all copies."""
    return next((copy.price_decision for copy in copies if copy.removed_at is None), Decision.NONE)


def _copies(user_id: int, release: Release) -> list[CollectionInstance]:
    copies = CollectionInstance.objects.of(user_id).filter(release=release).select_related("folder")
    return sorted(copies, key=lambda copy: (copy.removed_at is not None, copy.added_at))


def _paid_field(user_id: int) -> str:
    paid = CollectionField.objects.filter(connection__user_id=user_id, role=CollectionField.Role.PAID)
    return paid.values_list("name", flat=True).first() or ""
