"""The health of the engine: heartbeats of its processes, and alerts."""

from django.db import models
from django.db.models import Q


class WorkerHeartbeat(models.Model):
    """The last report of a worker or supervisor process."""

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

    @property
    def megabytes(self) -> float:
        return self.rss_bytes / 1_000_000

    @property
    def error_percent(self) -> float | None:
        """The share of its jobs that failed; None if it has had none."""
        return 100 * self.errors / self.jobs if self.jobs else None


class HealthAlert(models.Model):
    """A problem of the engine, now or in the past: opened once, closed when its condition has ended."""

    kind = models.CharField(max_length=30)
    message = models.TextField()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # One open alert of a kind, however many processes detect it.
            models.UniqueConstraint(
                fields=["kind"], condition=Q(closed_at__isnull=True), name="one_open_alert_per_kind"
            ),
        ]

    def __str__(self) -> str:
        return self.kind
