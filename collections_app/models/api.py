"""The gate's row, the response-time trend, and which optional parts of Discogs are available."""

from django.db import models


class ApiGate(models.Model):
    """The one row through which every request from one address passes. Times are epoch seconds of the database."""

    class Breaker(models.TextChoices):
        CLOSED = "closed", "Closed"
        OPEN = "open", "Open"
        HALF_OPEN = "half_open", "Probing"

    egress = models.CharField(max_length=100, unique=True)
    # Slots taken within the window, oldest first, as [first, last, count]: near ones are one entry.
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
    # The last rate headers of Discogs; they lag and jump, so they only ever slow the gate, for one window.
    told_limit = models.PositiveIntegerField(
        null=True, blank=True, help_text="Smaller than ours: not our tier."
    )
    foreign_use = models.PositiveIntegerField(default=0, help_text="Requests of others behind our address.")
    told_until = models.FloatField(default=0)
    # Used to detect that a clock was set: see discogs/clock.py.
    clocks = models.JSONField(default=list, blank=True)
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


class Capability(models.Model):
    """Whether an optional part of Discogs is available to us; checked again when the answer is old enough."""

    name = models.CharField(max_length=40, unique=True)
    is_available = models.BooleanField()
    checked_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "capabilities"

    def __str__(self) -> str:
        return self.name
