"""Import passes: the progress of reading a collection."""

from typing import Self

from django.db import models
from django.db.models import Q

from collections_app.models.connection import DiscogsConnection


class ImportPassQuerySet(models.QuerySet["ImportPass"]):
    def running(self) -> Self:
        return self.filter(state=ImportPass.State.RUNNING)


class ImportPass(models.Model):
    """One pass through everything a connection has at Discogs: one request for each page, resumable at every page."""

    class State(models.TextChoices):
        RUNNING = "running", "Importing"
        COMPLETE = "complete", "Complete"
        FAILED = "failed", "Failed"

    class Stage(models.TextChoices):
        FOLDERS = "folders", "Folders"
        FIELDS = "fields", "Fields"
        COPIES = "instances", "Copies"
        WANTS = "wants", "Wantlist"

    connection = models.ForeignKey(DiscogsConnection, on_delete=models.CASCADE, related_name="import_passes")
    state = models.CharField(max_length=12, choices=State, default=State.RUNNING)
    stage = models.CharField(max_length=12, choices=Stage, default=Stage.FOLDERS)
    next_page = models.PositiveIntegerField(default=1, help_text="Of copies or wants.")
    instances_expected = models.PositiveIntegerField(default=0)
    instances_seen = models.PositiveIntegerField(default=0)
    wants_expected = models.PositiveIntegerField(default=0)
    wants_seen = models.PositiveIntegerField(default=0)
    # Whether every answer reported the same number of copies (of wants), and nothing was added while we read. Only
    # then do unseen rows count as removed.
    instances_consistent = models.BooleanField(default=True)
    wants_consistent = models.BooleanField(default=True)
    # Rows that could not be read: how many, and the first of them by name.
    unread_count = models.PositiveIntegerField(default=0)
    unread = models.JSONField(
        default=list, blank=True, help_text="[{what, release_id, instance_id, title, reason}]"
    )
    # Copies and wants that this pass did not see and that are kept until a second pass has not seen them either.
    unconfirmed_copies = models.PositiveIntegerField(default=0)
    unconfirmed_wants = models.PositiveIntegerField(default=0)
    is_confirmation = models.BooleanField(default=False, help_text="Such a second pass.")
    requests = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Failed tries of the page at hand.")
    error = models.TextField(blank=True)
    # Only the holder of the lease fetches a page; when the lease expires, another task continues.
    lease_owner = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    queued_at = models.DateTimeField(null=True, blank=True, help_text="A step is in the queue since then.")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ImportPassQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "import passes"
        constraints = [
            # One running import pass per connection, however often its user clicks.
            models.UniqueConstraint(
                fields=["connection"], condition=Q(state="running"), name="one_running_pass_per_connection"
            ),
        ]

    def __str__(self) -> str:
        return f"import {self.pk}"
