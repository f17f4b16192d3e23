"""The processes at work, and what is wrong with them."""

from django.db import models
from django.db.models import Q


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
