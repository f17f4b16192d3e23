"""Who owns what: connections to Discogs, releases, the copies people own, and the gate every request passes."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q


class DiscogsConnection(models.Model):
    """A user's link to Discogs. One for each user; the credential is readable through `credentials` only."""

    class Kind(models.TextChoices):
        TOKEN = "token", "Personal access token"
        OAUTH = "oauth", "Authorised at Discogs"

    class State(models.TextChoices):
        ACTIVE = "active", "Connected"
        RECONNECT_NEEDED = "reconnect_needed", "Reconnect needed"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="discogs_connection"
    )
    discogs_user_id = models.BigIntegerField()
    discogs_username = models.CharField(max_length=255)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.TOKEN)
    state = models.CharField(max_length=20, choices=State, default=State.ACTIVE)
    credential = models.TextField(help_text="Encrypted; the owner's id is inside.")
    # Price suggestions need it; None: not known yet.
    has_seller_settings = models.BooleanField(null=True, blank=True)
    connected_at = models.DateTimeField()
    last_success_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "Discogs connection"

    def __str__(self) -> str:
        return self.discogs_username

    @property
    def is_active(self) -> bool:
        return self.state == self.State.ACTIVE


class Release(models.Model):
    """One pressing. Facts come with the collection import and do not change from day to day."""

    discogs_id = models.BigIntegerField(primary_key=True)
    title = models.TextField()
    artists = models.TextField(blank=True, help_text="Joined as Discogs writes them.")
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    format = models.TextField(blank=True, help_text="In one line: LP, Album, Reissue.")
    labels = models.TextField(blank=True)
    catalog_number = models.TextField(blank=True)
    genres = models.JSONField(default=list, blank=True)
    styles = models.JSONField(default=list, blank=True)
    master_id = models.BigIntegerField(null=True, blank=True)
    thumb_url = models.TextField(blank=True)
    cover_url = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.artists} – {self.title}" if self.artists else self.title

    @property
    def discogs_path(self) -> str:
        return f"/release/{self.discogs_id}"


class Folder(models.Model):
    connection = models.ForeignKey(DiscogsConnection, on_delete=models.CASCADE, related_name="folders")
    discogs_id = models.BigIntegerField()
    name = models.TextField()

    class Meta:
        constraints = [
            # One row for each folder, however often it is imported.
            models.UniqueConstraint(fields=["connection", "discogs_id"], name="folder_once_per_connection"),
        ]

    def __str__(self) -> str:
        return self.name


class CollectionInstanceQuerySet(models.QuerySet["CollectionInstance"]):
    def of(self, user_id: int) -> Self:
        return self.filter(connection__user_id=user_id)

    def held(self) -> Self:
        """The copies owned now."""
        return self.filter(removed_at__isnull=True)


class CollectionInstance(models.Model):
    """One owned copy. `removed_at` keeps its past value in the history."""

    connection = models.ForeignKey(DiscogsConnection, on_delete=models.CASCADE, related_name="instances")
    instance_id = models.BigIntegerField()
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="instances")
    folder = models.ForeignKey(Folder, on_delete=models.SET_NULL, null=True, blank=True)
    rating = models.PositiveSmallIntegerField(default=0)
    media_condition = models.TextField(blank=True)
    sleeve_condition = models.TextField(blank=True)
    notes = models.TextField(blank=True)
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)
    # The import pass that saw the copy last: what a complete pass did not see has been removed.
    seen_in_pass = models.BigIntegerField(default=0)

    objects = CollectionInstanceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "instance_id"], name="instance_once_per_connection"
            ),
        ]
        indexes = [
            # Who holds this release: prices are fetched once for all owners.
            models.Index(fields=["release", "removed_at"], name="instance_by_release"),
            # A user's holdings, newest first.
            models.Index(fields=["connection", "removed_at", "-added_at"], name="instance_by_connection"),
        ]

    def __str__(self) -> str:
        return f"copy {self.instance_id}"


class WantlistItem(models.Model):
    connection = models.ForeignKey(DiscogsConnection, on_delete=models.CASCADE, related_name="wants")
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="wanted_by")
    added_at = models.DateTimeField()
    notes = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "release"], name="want_once_per_connection"),
        ]

    def __str__(self) -> str:
        return f"want {self.release_id}"


class ImportPassQuerySet(models.QuerySet["ImportPass"]):
    def running(self) -> Self:
        return self.filter(state=ImportPass.State.RUNNING)


class ImportPass(models.Model):
    """One walk through a connection's folders and instances, a page for each task, resumable at every page."""

    class State(models.TextChoices):
        RUNNING = "running", "Importing"
        COMPLETE = "complete", "Complete"
        FAILED = "failed", "Failed"

    connection = models.ForeignKey(DiscogsConnection, on_delete=models.CASCADE, related_name="import_passes")
    state = models.CharField(max_length=12, choices=State, default=State.RUNNING)
    next_page = models.PositiveIntegerField(default=0, help_text="0: the folders; then the pages from 1.")
    pages = models.PositiveIntegerField(
        default=0, help_text="As Discogs says; the walk ends at an empty page."
    )
    instances_expected = models.PositiveIntegerField(default=0)
    instances_seen = models.PositiveIntegerField(default=0)
    requests = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Failed tries of the page at hand.")
    error = models.TextField(blank=True)
    # A page is fetched by the holder of the lease only; when it lapses another task goes on.
    lease_owner = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    queued_at = models.DateTimeField(null=True, blank=True, help_text="A step is in the queue since then.")
    wants_prices = models.BooleanField(
        default=False, help_text="A sync run follows when the pass is complete."
    )
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ImportPassQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "import passes"
        constraints = [
            # However often someone clicks, one walk at a time.
            models.UniqueConstraint(
                fields=["connection"], condition=Q(state="running"), name="one_running_pass_per_connection"
            ),
        ]

    def __str__(self) -> str:
        return f"import {self.pk}"


class ApiGate(models.Model):
    """The one row through which every request from one address passes. Times are epoch seconds of the database."""

    class Breaker(models.TextChoices):
        CLOSED = "closed", "Closed"
        OPEN = "open", "Open"
        HALF_OPEN = "half_open", "Probing"

    egress = models.CharField(max_length=100, unique=True)
    # Slots given out within the window, oldest first, as [first, last, count]: near ones are one entry.
    slots = models.JSONField(default=list)
    next_paced_at = models.FloatField(default=0)
    paused_until = models.FloatField(default=0)
    refusals = models.PositiveIntegerField(default=0, help_text="429 answers in a row.")
    breaker = models.CharField(max_length=10, choices=Breaker, default=Breaker.CLOSED)
    # The last outcomes, newest last: true for a fault.
    recent_faults = models.JSONField(default=list)
    faults_in_a_row = models.PositiveIntegerField(default=0)
    openings = models.PositiveIntegerField(default=0, help_text="Times opened since the last success.")
    open_until = models.FloatField(default=0)
    latency_ms = models.FloatField(default=0, help_text="Moving average.")
    # What Discogs' headers told last; they lag and jump, so they only ever slow the gate, for one window.
    told_limit = models.PositiveIntegerField(
        null=True, blank=True, help_text="Smaller than ours: not our tier."
    )
    foreign_use = models.PositiveIntegerField(default=0, help_text="Requests of others behind our address.")
    told_until = models.FloatField(default=0)
    requests = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.egress


class ApiMinute(models.Model):
    """How Discogs answered in one minute: the response-time trend, kept for 30 days."""

    egress = models.CharField(max_length=100)
    minute = models.DateTimeField()
    requests = models.PositiveIntegerField(default=0)
    faults = models.PositiveIntegerField(default=0)
    refusals = models.PositiveIntegerField(default=0, help_text="429 answers.")
    latency_ms_sum = models.BigIntegerField(default=0, help_text="Over the answers that came.")
    latency_ms_max = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            # Also the index for the trend of the last hours and for the purge.
            models.UniqueConstraint(fields=["minute", "egress"], name="one_row_per_minute_and_egress"),
        ]

    def __str__(self) -> str:
        return f"{self.egress} at {self.minute:%Y-%m-%d %H:%M}"


class Preferences(models.Model):
    """What a user has chosen for themselves."""

    class SyncEvery(models.IntegerChoices):
        SIX_HOURS = 6, "Every 6 hours"
        TWELVE_HOURS = 12, "Every 12 hours"
        DAY = 24, "Daily"
        WEEK = 168, "Weekly"
        NEVER = 0, "Only when I ask"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preferences"
    )
    sync_every_hours = models.PositiveSmallIntegerField(choices=SyncEvery, default=SyncEvery.DAY)

    class Meta:
        verbose_name_plural = "preferences"

    def __str__(self) -> str:
        return f"preferences of {self.user_id}"


class Capability(models.Model):
    """Whether an optional part of Discogs answers us; asked again when the answer is old enough."""

    name = models.CharField(max_length=40, unique=True)
    is_available = models.BooleanField()
    checked_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "capabilities"

    def __str__(self) -> str:
        return self.name
