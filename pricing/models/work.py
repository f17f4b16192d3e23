"""The work of the engine: price jobs, the runs that need them, and requests to recompute values."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Count, Q

from collections_app.discogs.payloads import MarketStatus
from collections_app.models import ImportPass, Release


class PriceJobQuerySet(models.QuerySet["PriceJob"]):
    def live(self) -> Self:
        return self.filter(state__in=PriceJob.LIVE)

    def working(self) -> Self:
        """The jobs that are in the queue or with a worker."""
        return self.filter(state__in=PriceJob.WORKING)

    def leased(self, job: "PriceJob") -> Self:
        """The row of this job as long as the lease is the one it was claimed with; otherwise nothing."""
        return self.filter(pk=job.pk, state=PriceJob.State.RUNNING, lease_owner=job.lease_owner)


class PriceJob(models.Model):
    """A job to fetch one release; a release has at most one live job. docs/price-job.md describes its states."""

    class State(models.TextChoices):
        DUE = "due", "Due"
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        WAITING = "waiting", "Waiting"
        RECORDED = "recorded", "Recorded"
        NONE_FOR_SALE = MarketStatus.NONE_FOR_SALE.value, "None for sale"
        BLOCKED = MarketStatus.BLOCKED.value, "Blocked from sale"
        GONE = MarketStatus.GONE.value, "Gone from Discogs"
        NOT_FOUND = "not_found", "Not found, price kept"
        DEAD = "dead", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    class Lane(models.IntegerChoices):
        INTERACTIVE = 0, "Someone waits"
        BACKGROUND = 1, "Background"

    LIVE = (State.DUE, State.QUEUED, State.RUNNING, State.WAITING)
    WORKING = (State.QUEUED, State.RUNNING)
    KNOWN = (State.RECORDED, State.NONE_FOR_SALE, State.BLOCKED, State.GONE, State.NOT_FOUND)

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
    # What was known before the request: the price, and the variance of its log that its age had added.
    before_minor = models.BigIntegerField(null=True, blank=True)
    before_variance = models.FloatField(null=True, blank=True)
    after_minor = models.BigIntegerField(null=True, blank=True, help_text="The price that the request found.")
    created_at = models.DateTimeField()
    queued_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = PriceJobQuerySet.as_manager()

    class Meta:
        constraints = [
            # One request serves all users who need the release.
            models.UniqueConstraint(
                fields=["release"],
                condition=Q(state__in=("due", "queued", "running", "waiting")),
                name="one_live_job_per_release",
            ),
        ]
        indexes = [
            # For the feeder: which jobs may be queued next; for the reconciler: which leases have lapsed.
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

    def working(self) -> Self:
        """The active runs that are not paused."""
        return self.filter(state__in=(SyncRun.State.IMPORTING, SyncRun.State.RUNNING))

    def whole(self) -> Self:
        """Runs over a whole collection, not those that only narrow a band."""
        return self.filter(predicted_half_minor__isnull=True)

    def with_counts(self) -> Self:
        """Each run with the number of its releases: `total`, `done`, `failed` and `cancelled`.

        The twin of `sync.progress.Progress`, where the words are defined.
        """
        done = Q(items__job__isnull=True) | Q(items__job__state__in=PriceJob.KNOWN)
        return self.annotate(
            total=Count("items"),
            done=Count("items", filter=done),
            failed=Count("items", filter=Q(items__job__state=PriceJob.State.DEAD)),
            cancelled=Count("items", filter=Q(items__job__state=PriceJob.State.CANCELLED)),
        )


class SyncRun(models.Model):
    """One update of prices. Its progress is derived from its items' jobs."""

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
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="sync_runs",
        db_index=False,
    )
    state = models.CharField(max_length=12, choices=State, default=State.RUNNING)
    trigger = models.CharField(max_length=10, choices=Trigger)
    import_pass = models.ForeignKey(ImportPass, on_delete=models.SET_NULL, null=True, blank=True)
    stale_after_seconds = models.PositiveIntegerField(help_text="Younger prices are reused; 0 asks for all.")
    replaced_requests = models.PositiveIntegerField(
        default=0, help_text="Requests of failed jobs that a retry replaced."
    )
    error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    # What a finished run found in its user's copies, by `value.found`; None until a worker has computed it.
    rose = models.PositiveIntegerField(null=True, blank=True, help_text="Releases whose price rose.")
    fell = models.PositiveIntegerField(null=True, blank=True, help_text="Releases whose price fell.")
    found_minor = models.BigIntegerField(null=True, blank=True, help_text="Sum of copies x change.")
    expected_variance = models.FloatField(
        null=True, blank=True, help_text="The variance of that sum as known before, in squared minor units."
    )
    # Of a run that narrows its user's band: the half-widths before it, predicted for after it, and reached.
    half_before_minor = models.BigIntegerField(null=True, blank=True)
    predicted_half_minor = models.BigIntegerField(null=True, blank=True)
    reached_half_minor = models.BigIntegerField(null=True, blank=True)

    objects = SyncRunQuerySet.as_manager()

    class Meta:
        constraints = [
            # Fifty clicks start one run.
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

    @property
    def is_narrowing(self) -> bool:
        return self.predicted_half_minor is not None


class RunItem(models.Model):
    """One release of a run: served by a job, or by a price that was fresh enough (no job)."""

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="items", db_index=False)
    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="+")
    job = models.ForeignKey(PriceJob, on_delete=models.SET_NULL, null=True, blank=True, related_name="items")
    reused = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "release"], name="release_once_per_run")]
        # Whether a job belongs to a run: queried in every turn of the feeder.
        indexes = [models.Index(fields=["run", "job"], name="run_item_by_job")]

    def __str__(self) -> str:
        return f"release {self.release_id} of run {self.run_id}"


class ValueRequest(models.Model):
    """A request to recompute a value: that of a user, or those of all owners of releases that a run has fetched.

    One row for each user, however many runs end meanwhile. The queue carries the id of a row; a row that is not
    processed in time is queued again.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    run = models.OneToOneField(SyncRun, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    is_urgent = models.BooleanField(default=False, help_text="Goes before prices in the queue.")
    # The first day whose stored value must be computed again; the work moves it on, some days at a time.
    rebuild_from = models.DateField(null=True, blank=True)
    settles_yesterday = models.BooleanField(default=False)
    due_at = models.DateTimeField()
    queued_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Changes with each request, so that a request made while the value is being computed is not lost.
    version = models.UUIDField(default=uuid.uuid4)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="value_request_of_user_or_run",
                condition=Q(user__isnull=False, run__isnull=True) | Q(user__isnull=True, run__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["-is_urgent", "due_at"], name="value_request_by_turn"
            ),  # which rows are queued next
            models.Index(fields=["queued_at"], name="value_request_by_queueing"),  # how many are queued
        ]

    def __str__(self) -> str:
        return f"value of user {self.user_id}" if self.user_id else f"values after run {self.run_id}"
