"""The record of requests to the optional price sources."""

from django.db import models
from django.db.models import Q

from collections_app.models import DiscogsConnection, Release


class SourceAttempt(models.Model):
    """The latest recorded attempt at a source, for one release, connection or currency.

    It says when the source may be asked again. A success is recorded only if nothing else shows its time.
    """

    class Source(models.TextChoices):
        SUGGESTIONS = "suggestions", "Price suggestions"
        EXCHANGE_RATE = "exchange_rate", "Exchange rate"
        RANGE = "range", "Discogs’ range of a collection"

    class Outcome(models.TextChoices):
        REQUESTED = "requested", "Requested"
        STORED = "stored", "Stored"
        NONE = "none", "Discogs has none"
        FAILED = "failed", "Failed"
        REFUSED = "refused", "Connection refused"

    source = models.CharField(max_length=16, choices=Source)
    # The unique constraints are the indexes of both keys.
    release = models.ForeignKey(
        Release, on_delete=models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )
    connection = models.ForeignKey(
        DiscogsConnection, on_delete=models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )
    currency = models.CharField(max_length=3, blank=True)
    tried_at = models.DateTimeField()
    outcome = models.CharField(max_length=12, choices=Outcome)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="attempt_has_one_subject",
                condition=Q(release__isnull=False, connection__isnull=True, currency="")
                | Q(release__isnull=True, connection__isnull=False, currency="")
                | Q(release__isnull=True, connection__isnull=True) & ~Q(currency=""),
            ),
            # One for each subject, since a constraint over all three would let rows with a null be doubled. They also
            # serve the queries for what is due, and deleting a release or connection.
            models.UniqueConstraint(
                fields=["release", "source"],
                condition=Q(release__isnull=False),
                name="one_attempt_per_release_and_source",
            ),
            models.UniqueConstraint(
                fields=["connection", "source"],
                condition=Q(connection__isnull=False),
                name="one_attempt_per_connection_and_source",
            ),
            models.UniqueConstraint(
                fields=["currency", "source"],
                condition=Q(release__isnull=True, connection__isnull=True),
                name="one_attempt_per_currency_and_source",
            ),
        ]

    def __str__(self) -> str:
        subject = self.currency or self.release_id or f"connection {self.connection_id}"
        return f"{self.get_source_display()} for {subject}"
