"""What the refresh order learns: classes of releases, owners' totals, the pass that renews weights, calibration."""

from django.db import models
from django.db.models import F, Q

from collections_app.models import DiscogsConnection


class MarketClass(models.Model):
    """Releases with a similar number of listings and a similar price: the prior of their members.

    Renewed every night by `precision.weights`. docs/refresh.md has the formulas.
    """

    listings_band = models.PositiveSmallIntegerField()
    price_band = models.PositiveSmallIntegerField()
    releases = models.PositiveIntegerField(help_text="Releases with a last price.")
    s2 = models.FloatField(help_text="Sum of the squared log price changes of its members, faded.")
    exposure_days = models.FloatField(help_text="Days over which they were observed, faded likewise.")
    variance = models.FloatField(help_text="Variance of the log price per day.")
    # Percentiles of the last prices, in minor units.
    p10_minor = models.BigIntegerField()
    median_minor = models.BigIntegerField()
    p90_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["listings_band", "price_band"], name="market_class_once"),
        ]

    def __str__(self) -> str:
        return f"listings band {self.listings_band}, price band {self.price_band}"


class OwnerTotal(models.Model):
    """The total by which an owner's weights are divided."""

    connection = models.OneToOneField(
        DiscogsConnection, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    amount_minor = models.BigIntegerField()

    def __str__(self) -> str:
        return f"total of connection {self.connection_id}"


class WeightPass(models.Model):
    """The nightly renewal of all weights: one row, which says how far it is and what the last one found."""

    ONLY = 1  # its primary key

    day = models.DateField(help_text="The UTC day that the pass belongs to.")
    cursor = models.BigIntegerField(default=-1, help_text="The last release done; -1: not begun.")
    stepped_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    # The result of the last complete pass.
    threshold = models.FloatField(
        default=0, help_text="The least index at which a scheduled run fetches a release; 0 fetches all."
    )
    wanted_per_day = models.FloatField(
        default=0, help_text="Requests a day that all users' intervals ask for."
    )

    def __str__(self) -> str:
        return f"weights of {self.day}"


class Calibration(models.Model):
    """How well the variances of one UTC day's readings predicted what they found, and the bands of its runs.

    Computed from the day's jobs and runs by `precision.calibration`; it can be computed again while they are kept.
    """

    day = models.DateField(unique=True)
    readings = models.PositiveIntegerField()
    z2_sum = models.FloatField(
        help_text="Sum over readings of the squared change of the log price / variance."
    )
    bands = models.PositiveIntegerField(help_text="Finished runs whose change was predicted.")
    covered = models.PositiveIntegerField(help_text="Those whose change lay within the 80 % band.")

    class Meta:
        constraints = [
            models.CheckConstraint(name="covered_bands", condition=Q(covered__lte=F("bands"))),
        ]

    def __str__(self) -> str:
        return f"calibration of {self.day}"
