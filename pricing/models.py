"""What releases cost and how that was learnt: snapshots, latest prices, jobs, runs, daily values, workers.

Money is an integer in the currency's minor unit together with its ISO code, never a float.
"""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from collections_app.models import ImportPass, Release


class PriceStatus(models.TextChoices):
    """What Discogs said of a release's market. A failed fetch says nothing, so it has no status here."""

    PRICED = "priced", "Priced"
    NONE_FOR_SALE = "none_for_sale", "None for sale"
    BLOCKED = "blocked", "Blocked from sale"
    GONE = "gone", "Gone from Discogs"


def priced_has_amount(name: str) -> models.CheckConstraint:
    """An amount and its currency exist exactly when the status is priced; an amount is never negative."""
    return models.CheckConstraint(
        name=name,
        condition=(Q(status="priced", amount_minor__isnull=False, amount_minor__gte=0) & ~Q(currency=""))
        | (~Q(status="priced") & Q(amount_minor__isnull=True)),
    )


class MarketReading(models.Model):
    """What one answer of Discogs tells about a release's market and community."""

    status = models.CharField(max_length=16, choices=PriceStatus)
    currency = models.CharField(max_length=3, blank=True)
    amount_minor = models.BigIntegerField(null=True, blank=True, help_text="Lowest listing, in minor units.")
    num_for_sale = models.PositiveIntegerField(null=True, blank=True)
    want = models.PositiveIntegerField(null=True, blank=True)
    have = models.PositiveIntegerField(null=True, blank=True)
    rating_count = models.PositiveIntegerField(null=True, blank=True)
    rating_average = models.FloatField(null=True, blank=True)
    observed_at = models.DateTimeField()

    class Meta:
        abstract = True


class PriceSnapshot(MarketReading):
    """One reading for each release and UTC day; a later one of the same day replaces it, afterwards it stands."""

    class Source(models.TextChoices):
        DISCOGS = "discogs", "Discogs"
        DEMO = "demo", "Made up for the demo"

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="snapshots")
    day = models.DateField()
    duration_ms = models.PositiveIntegerField(
        null=True, blank=True, help_text="How long Discogs took to answer."
    )
    source = models.CharField(max_length=8, choices=Source, default=Source.DISCOGS)

    class Meta:
        constraints = [
            # Also the index for a release's history in order of days.
            models.UniqueConstraint(fields=["release", "day"], name="one_snapshot_per_release_and_day"),
            priced_has_amount("snapshot_priced_has_amount"),
        ]

    def __str__(self) -> str:
        return f"{self.release_id} on {self.day}"


class ReleasePrice(MarketReading):
    """The newest reading of a release: what every page shows and every total sums."""

    release = models.OneToOneField(Release, on_delete=models.CASCADE, primary_key=True, related_name="price")
    # Since when the status is what it is: what is gone or unsold for long is asked for less often.
    status_since = models.DateTimeField()
    volatility = models.FloatField(
        default=0, help_text="Moving average of the relative change between readings."
    )

    class Meta:
        constraints = [priced_has_amount("price_priced_has_amount")]
        indexes = [models.Index(fields=["observed_at"], name="price_by_age")]  # what is due

    def __str__(self) -> str:
        return f"price of {self.release_id}"


class PriceJobQuerySet(models.QuerySet["PriceJob"]):
    def live(self) -> Self:
        return self.filter(state__in=PriceJob.LIVE)


class PriceJob(models.Model):
    """The one live order to fetch one release. docs/price-job.md tells its life."""

    class State(models.TextChoices):
        DUE = "due", "Due"
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        WAITING = "waiting", "Waiting"
        RECORDED = "recorded", "Recorded"
        NONE_FOR_SALE = "none_for_sale", "None for sale"
        BLOCKED = "blocked", "Blocked from sale"
        GONE = "gone", "Gone from Discogs"
        DEAD = "dead", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    class Lane(models.IntegerChoices):
        INTERACTIVE = 0, "Someone waits"
        BACKGROUND = 1, "Background"

    LIVE = (State.DUE, State.QUEUED, State.RUNNING, State.WAITING)
    KNOWN = (State.RECORDED, State.NONE_FOR_SALE, State.BLOCKED, State.GONE)

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="jobs")
    state = models.CharField(max_length=16, choices=State, default=State.DUE)
    lane = models.PositiveSmallIntegerField(choices=Lane, default=Lane.BACKGROUND)
    attempts = models.PositiveSmallIntegerField(
        default=0, help_text="Claims; waiting for the limit gives one back."
    )
    requests = models.PositiveSmallIntegerField(default=0, help_text="Requests sent to Discogs.")
    not_before = models.DateTimeField(null=True, blank=True)
    lease_owner = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=255, blank=True, help_text="host:pid of the last claim")
    error_kind = models.CharField(max_length=20, blank=True)
    error = models.TextField(blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()
    queued_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = PriceJobQuerySet.as_manager()

    class Meta:
        constraints = [
            # One request serves everyone who wants the release.
            models.UniqueConstraint(
                fields=["release"],
                condition=Q(state__in=("due", "queued", "running", "waiting")),
                name="one_live_job_per_release",
            ),
        ]
        indexes = [
            # The feeder: what may go to the queue next; the reconciler: whose lease has lapsed.
            models.Index(fields=["state", "lane", "id"], name="job_by_state"),
            models.Index(fields=["finished_at"], name="job_by_finish"),  # throughput and clean-up
        ]

    def __str__(self) -> str:
        return f"job {self.pk}"

    @property
    def is_live(self) -> bool:
        return self.state in self.LIVE


class SyncRunQuerySet(models.QuerySet["SyncRun"]):
    def of(self, user_id: int) -> Self:
        return self.filter(user_id=user_id)

    def active(self) -> Self:
        return self.filter(state__in=SyncRun.ACTIVE)


class SyncRun(models.Model):
    """One attempt to bring prices up to date. Its progress is derived from its items' jobs."""

    class State(models.TextChoices):
        IMPORTING = "importing", "Reading the collection"
        RUNNING = "running", "Fetching prices"
        PAUSED = "paused", "Paused"
        FINISHED = "finished", "Finished"
        CANCELLED = "cancelled", "Cancelled"
        FAILED = "failed", "Failed"

    class Trigger(models.TextChoices):
        CLICK = "click", "Started on the site"
        COMMAND = "command", "Started by command"
        SCHEDULE = "schedule", "Started on schedule"

    ACTIVE = (State.IMPORTING, State.RUNNING, State.PAUSED)

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="sync_runs"
    )
    state = models.CharField(max_length=12, choices=State, default=State.RUNNING)
    trigger = models.CharField(max_length=10, choices=Trigger)
    import_pass = models.ForeignKey(ImportPass, on_delete=models.SET_NULL, null=True, blank=True)
    stale_after_seconds = models.PositiveIntegerField(help_text="Younger prices are reused; 0 asks for all.")
    error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = SyncRunQuerySet.as_manager()

    class Meta:
        constraints = [
            # Fifty clicks are one run.
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(state__in=("importing", "running", "paused")),
                name="one_active_run_per_user",
            ),
        ]
        indexes = [models.Index(fields=["user", "-created_at"], name="run_by_user")]

    def __str__(self) -> str:
        return f"run {self.pk}"

    @property
    def is_active(self) -> bool:
        return self.state in self.ACTIVE


class RunItem(models.Model):
    """One release of a run: served by a job, or by a price that was fresh enough (no job)."""

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="items")
    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="+")
    job = models.ForeignKey(PriceJob, on_delete=models.SET_NULL, null=True, blank=True, related_name="items")
    reused = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "release"], name="release_once_per_run")]

    def __str__(self) -> str:
        return f"release {self.release_id} of run {self.run_id}"


class CollectionValue(models.Model):
    """A user's estimated value at the end of one UTC day (of the day so far, for today).

    Derived from holdings and snapshots by `pricing.valuation`; it can be computed anew at any time.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="values")
    day = models.DateField()
    currency = models.CharField(max_length=3)
    value_minor = models.BigIntegerField()
    instances = models.PositiveIntegerField()
    priced = models.PositiveIntegerField()
    stale = models.PositiveIntegerField()
    unpriced = models.PositiveIntegerField()
    num_for_sale = models.BigIntegerField(help_text="Listings of the releases held, each release once.")
    want = models.BigIntegerField(help_text="People who want the releases held, each release once.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "day"], name="one_value_per_user_and_day"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} on {self.day}"


class WorkerHeartbeat(models.Model):
    """What a worker process last told of itself."""

    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    role = models.CharField(max_length=12, default="worker")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    jobs = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0)
    rss_bytes = models.BigIntegerField(default=0)
    average_ms = models.FloatField(default=0)
    p50_ms = models.FloatField(default=0)
    p95_ms = models.FloatField(default=0)
    cpu_percent = models.FloatField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "pid"], name="one_heartbeat_per_process")]

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"


class HealthAlert(models.Model):
    """Something that is wrong, or was: opened once, closed when it is well again."""

    kind = models.CharField(max_length=30)
    message = models.TextField()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # One open alert of a kind, however many processes notice.
            models.UniqueConstraint(
                fields=["kind"], condition=Q(closed_at__isnull=True), name="one_open_alert_per_kind"
            ),
        ]

    def __str__(self) -> str:
        return self.kind


class MarketStat(models.Model):
    """The lowest price of a release in a currency of choice, from `/marketplace/stats`."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="market_stats")
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


class PriceSuggestion(models.Model):
    """What Discogs suggests for a release in one media grade."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="suggestions")
    grade = models.CharField(max_length=40)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    observed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["release", "grade", "currency"], name="one_suggestion_per_release_grade_and_currency"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.release_id} {self.grade}"
