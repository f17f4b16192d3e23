"""Prices and values: snapshots, latest prices, market statistics, suggestions, exchange rates, daily values.

Money is an integer in the currency's minor unit together with its ISO code, never a float.
"""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q

from collections_app.currencies import CURRENCIES
from collections_app.discogs.payloads import MarketStatus
from collections_app.models import DiscogsConnection, Preferences, Release
from pricing.models.fields import CodedField, HundredthsField
from pricing.money.convert import MICROS, Rate

# The variance of the log price per day until a class has been observed: 6 % a day.
DEFAULT_VARIANCE = 0.004

STATUS_LABELS = {
    MarketStatus.PRICED.value: "Priced",
    MarketStatus.NONE_FOR_SALE.value: "None for sale",
    MarketStatus.BLOCKED.value: "Blocked from sale",
    MarketStatus.GONE.value: "Gone from Discogs",
}

# As stored in snapshots.
STATUS_CODES = {
    MarketStatus.PRICED.value: 1,
    MarketStatus.NONE_FOR_SALE.value: 2,
    MarketStatus.BLOCKED.value: 3,
    MarketStatus.GONE.value: 4,
}
CURRENCY_CODES = {"": 0, **{code: currency.number for code, currency in CURRENCIES.items()}}


def priced_has_amount(name: str) -> models.CheckConstraint:
    """An amount and its currency exist exactly when the status is priced; an amount is never negative."""
    return models.CheckConstraint(
        name=name,
        condition=(
            Q(status=MarketStatus.PRICED.value, amount_minor__isnull=False, amount_minor__gte=0)
            & ~Q(currency="")
        )
        | (~Q(status=MarketStatus.PRICED.value) & Q(amount_minor__isnull=True)),
    )


class Doubt(models.IntegerChoices):
    """Why a reading does not count yet: `precision.plausibility` decides. An integer, since snapshots are many."""

    NONE = 0, "None"
    JUMP = 1, "Jumped from the last price"
    BELOW_SUGGESTION = 2, "Far below Discogs’ suggestion"


class MarketReading(models.Model):
    """The market and community figures of a release from one answer of Discogs."""

    status = models.CharField(max_length=16, choices=list(STATUS_LABELS.items()))
    currency = models.CharField(max_length=3, blank=True)
    amount_minor = models.BigIntegerField(null=True, blank=True, help_text="Lowest listing, in minor units.")
    num_for_sale = models.PositiveIntegerField(null=True, blank=True)
    want = models.PositiveIntegerField(null=True, blank=True)
    have = models.PositiveIntegerField(null=True, blank=True)
    rating_count = models.PositiveIntegerField(null=True, blank=True)
    rating_average = models.FloatField(null=True, blank=True)
    observed_at = models.DateTimeField()
    doubt = models.SmallIntegerField(
        choices=Doubt, default=Doubt.NONE, help_text="Why the price does not count yet."
    )

    class Meta:
        abstract = True


class PriceSnapshot(MarketReading):
    """One reading for each release and UTC day; a later one of the same day replaces it, then it is final.

    There are a thousand times as many as of anything else, so a row has no number of its own, and no column is wider
    than its values. docs/performance.md says what a row takes.
    """

    class Source(models.TextChoices):
        DISCOGS = "discogs", "Discogs"
        DEMO = "demo", "Made up for the demo"

    # Its index also serves a release's history in order of days, and the deletion of a release. On PostgreSQL it
    # holds the amount too (migration 0013), so that a search for a price reads no row.
    pk = models.CompositePrimaryKey("release", "day")
    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="snapshots", db_index=False)
    day = models.DateField()
    status = CodedField(choices=list(STATUS_LABELS.items()), codes=STATUS_CODES)
    currency = CodedField(blank=True, default="", codes=CURRENCY_CODES)
    amount_minor = models.PositiveIntegerField(  # four bytes: `payloads.MAX_AMOUNT` fits
        null=True, blank=True, help_text="Lowest listing, in minor units."
    )
    rating_average = HundredthsField(null=True, blank=True)
    duration_ms = models.PositiveIntegerField(
        null=True, blank=True, help_text="How long Discogs took to answer."
    )
    source = CodedField(choices=Source, default=Source.DISCOGS, codes={"discogs": 1, "demo": 2})

    class Meta:
        constraints = [priced_has_amount("snapshot_priced_has_amount")]

    def __str__(self) -> str:
        return f"{self.release_id} on {self.day}"


class ReleasePrice(MarketReading):
    """The newest reading of a release: what every page shows and every total sums."""

    release = models.OneToOneField(Release, on_delete=models.CASCADE, primary_key=True, related_name="price")
    # Since when the status has been the same: releases that are gone or unsold for long are fetched less often.
    status_since = models.DateTimeField()
    # The first 404 since the last reading. The price stays until a later 404 confirms it.
    not_found_at = models.DateTimeField(null=True, blank=True)
    # The newest price that counted, also while no copy is for sale.
    last_minor = models.BigIntegerField(null=True, blank=True)
    last_priced_at = models.DateTimeField(null=True, blank=True)
    # What Discogs suggests for a copy in Near Mint, in USD; `near_mint_since` is the first day of this amount.
    near_mint_minor = models.BigIntegerField(null=True, blank=True)
    near_mint_at = models.DateTimeField(null=True, blank=True)
    near_mint_since = models.DateField(null=True, blank=True)
    # The newest doubted price and its UTC day, until a price counts: a reading of another day may agree with it.
    doubted_minor = models.BigIntegerField(null=True, blank=True)
    doubted_on = models.DateField(null=True, blank=True)
    # What `precision.estimator` has learned from consecutive prices.
    s2 = models.FloatField(default=0, help_text="Sum of the squared changes of the log price, faded.")
    exposure_days = models.FloatField(default=0, help_text="Days between those prices, faded likewise.")
    prior_variance = models.FloatField(
        default=DEFAULT_VARIANCE, help_text="Variance of the log price per day in its class."
    )
    weight = models.FloatField(
        default=0, help_text="Sum over the owners of (copies x price / total) squared; renewed every night."
    )
    interval_hours = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="The shortest sync interval of its owners; none: it is not scheduled.",
    )
    # Index of the refresh order = age in days x urgency.
    urgency = models.FloatField(default=0, help_text="Root of weight x variance per day.")

    class Meta:
        constraints = [priced_has_amount("price_priced_has_amount")]
        indexes = [models.Index(fields=["observed_at"], name="price_by_age")]  # which releases are due

    def __str__(self) -> str:
        return f"price of {self.release_id}"


class EarlierPrice(models.Model):
    """A price that counted, read earlier on a day whose snapshot has none: the newest one of that day.

    The latest price of a release remembers it while none is for sale, so its history must know it too.
    """

    pk = models.CompositePrimaryKey("release", "day")
    release = models.ForeignKey(
        Release, on_delete=models.CASCADE, related_name="earlier_prices", db_index=False
    )
    day = models.DateField()
    amount_minor = models.PositiveIntegerField()
    observed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.release_id} earlier on {self.day}"


class NearMintPrice(models.Model):
    """What Discogs suggested for a release in Near Mint from one UTC day on, until the next row of the release.

    Suggestions of all grades are this one number on a fixed grid: `value.cascade.GRID`.
    """

    pk = models.CompositePrimaryKey("release", "day")
    release = models.ForeignKey(
        Release, on_delete=models.CASCADE, related_name="near_mint_prices", db_index=False
    )
    day = models.DateField()
    amount_minor = models.PositiveIntegerField(
        null=True, blank=True, help_text="In minor units of USD; empty: Discogs suggests nothing any more."
    )

    def __str__(self) -> str:
        return f"{self.release_id} in Near Mint from {self.day}"


class PriceBaseline(models.Model):
    """What a release cost at the start of each range that pages offer, as of one UTC day. Derived from its snapshots.

    `value.baselines` renews it and says what the columns mean. A row of another day is not used.
    """

    price = models.OneToOneField(
        ReleasePrice, on_delete=models.CASCADE, primary_key=True, related_name="baseline"
    )
    day = models.DateField(help_text="The UTC day from which the days below are counted.")
    first_day = models.DateField(null=True, help_text="The day of the first snapshot.")
    first_minor = models.BigIntegerField(null=True, help_text="Its amount.")
    days_7_minor = models.BigIntegerField(null=True)
    days_30_minor = models.BigIntegerField(null=True)
    days_91_minor = models.BigIntegerField(null=True)
    days_182_minor = models.BigIntegerField(null=True)
    days_365_minor = models.BigIntegerField(null=True)
    year_minor = models.BigIntegerField(null=True, help_text="On 1 January of the year of `day`.")

    def __str__(self) -> str:
        return f"baselines of {self.price_id} on {self.day}"


class MarketStat(models.Model):
    """The lowest price of a release in a chosen currency, from `/marketplace/stats`."""

    release = models.ForeignKey(
        Release, on_delete=models.CASCADE, related_name="market_stats", db_index=False
    )
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField(null=True, blank=True)
    num_for_sale = models.PositiveIntegerField(null=True, blank=True)
    observed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["release", "currency"], name="one_stat_per_release_and_currency"),
        ]

    def __str__(self) -> str:
        return f"{self.release_id} in {self.currency}"


class ExchangeRate(models.Model):
    """Discogs' last known rate for one USD in a currency that a user has chosen."""

    currency = models.CharField(max_length=3, unique=True)
    micros_per_usd = models.BigIntegerField(help_text="Millionths of a unit of the currency for one USD.")
    observed_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(name="rate_is_positive", condition=Q(micros_per_usd__gt=0))]

    def __str__(self) -> str:
        return self.currency

    def as_rate(self) -> Rate:
        return Rate(self.currency, Decimal(self.micros_per_usd) / MICROS, self.observed_at)


class CollectionValue(models.Model):
    """A user's estimated value at the end of one UTC day (of the day so far, for today), on one basis.

    Derived from copies and readings; `recompute_values` computes it again. The parts are the change since the end of
    the day before, by cause, in minor units; their sum is the difference of the two values.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="values", db_index=False
    )
    basis = models.CharField(max_length=5, choices=Preferences.Basis, default=Preferences.Basis.FLOOR)
    day = models.DateField()
    currency = models.CharField(max_length=3)
    value_minor = models.BigIntegerField()
    like_minor = models.BigIntegerField(
        default=0, help_text="Value on the day before of the copies that have a market price on both days."
    )
    price_minor = models.BigIntegerField(default=0)
    added_minor = models.BigIntegerField(default=0)
    removed_minor = models.BigIntegerField(default=0)
    expired_minor = models.BigIntegerField(default=0)
    own_minor = models.BigIntegerField(default=0)
    coverage_minor = models.BigIntegerField(default=0)
    instances = models.PositiveIntegerField()
    priced = models.PositiveIntegerField()
    stale = models.PositiveIntegerField()
    unpriced = models.PositiveIntegerField()
    num_for_sale = models.BigIntegerField(help_text="Listings of the releases held, each release once.")
    want = models.BigIntegerField(help_text="People who want the releases held, each release once.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "basis", "day"], name="one_value_per_user_basis_and_day"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} on {self.day}"


class MarketDay(models.Model):
    """The sums, in minor units, of all releases with a price at the end of a UTC day and at that of the day before."""

    day = models.DateField(primary_key=True)
    before_minor = models.BigIntegerField()
    after_minor = models.BigIntegerField()
    releases = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"market on {self.day}"


class DiscogsRange(models.Model):
    """Discogs' own estimate of a collection, as it gave it on one UTC day. For display beside ours, never summed."""

    connection = models.ForeignKey(
        DiscogsConnection, on_delete=models.CASCADE, related_name="ranges", db_index=False
    )
    day = models.DateField()
    currency = models.CharField(max_length=3)
    minimum_minor = models.BigIntegerField()
    median_minor = models.BigIntegerField()
    maximum_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "day"], name="one_range_per_connection_and_day"),
        ]

    def __str__(self) -> str:
        return f"Discogs' range of {self.connection_id} on {self.day}"
