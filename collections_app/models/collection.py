"""Releases, and the copies users own or want."""

from typing import Self

from django.db import models
from django.db.models import Q

from collections_app.models.connection import DiscogsConnection


class Release(models.Model):
    """One pressing. Its facts come with the collection import and do not change from day to day."""

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
    seen_in_pass = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            # One row for each folder, however often it is imported.
            models.UniqueConstraint(fields=["connection", "discogs_id"], name="folder_once_per_connection"),
        ]

    def __str__(self) -> str:
        return self.name


class CollectionField(models.Model):
    """A column of a user's notes about their copies. Users add and rename fields; `role` says what we read it as."""

    class Role(models.TextChoices):
        MEDIA = "media", "Media condition"
        SLEEVE = "sleeve", "Sleeve condition"
        NOTES = "notes", "Notes"
        PAID = "paid", "Price paid"
        OTHER = "other", "The user's own"

    connection = models.ForeignKey(DiscogsConnection, on_delete=models.CASCADE, related_name="fields")
    discogs_id = models.BigIntegerField()
    name = models.TextField()
    role = models.CharField(max_length=8, choices=Role, default=Role.OTHER)
    seen_in_pass = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "discogs_id"], name="field_once_per_connection"),
        ]

    def __str__(self) -> str:
        return self.name


class Decision(models.TextChoices):
    """What an owner has decided about the price of a release, for all their copies of it."""

    NONE = "", "Not decided"
    COUNT = "count", "Counted by you"  # also while it is doubted
    NEVER = "never", "Left out by you"


class CollectionInstanceQuerySet(models.QuerySet["CollectionInstance"]):
    def of(self, user_id: int) -> Self:
        return self.filter(connection__user_id=user_id)

    def held(self) -> Self:
        """The copies owned at present."""
        return self.filter(removed_at__isnull=True)

    def release_ids(self) -> "models.QuerySet[CollectionInstance, int]":
        """The release of each copy, one id for each copy, for use in `set()` or as a subquery.

        It is not DISTINCT: in a subquery, PostgreSQL would then read all prices instead of looking up these.
        """
        return self.order_by().values_list("release_id", flat=True)


class CollectionInstance(models.Model):
    """One owned copy. A removed one stays, with `removed_at`, so that the history keeps its past value."""

    # Neither key has an index of its own: those below begin with it.
    connection = models.ForeignKey(
        DiscogsConnection, on_delete=models.CASCADE, related_name="instances", db_index=False
    )
    instance_id = models.BigIntegerField()
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="instances", db_index=False)
    folder = models.ForeignKey(Folder, on_delete=models.SET_NULL, null=True, blank=True)
    rating = models.PositiveSmallIntegerField(default=0)
    media_condition = models.TextField(blank=True)
    sleeve_condition = models.TextField(blank=True)
    notes = models.TextField(blank=True)
    custom_fields = models.JSONField(
        default=dict, blank=True, help_text="The user's own fields: {name: text}."
    )
    # Read from the field "Paid". Without a currency, the amount is in hundredths of the one the owner has in mind.
    paid_minor = models.BigIntegerField(null=True, blank=True)
    paid_currency = models.CharField(max_length=3, blank=True)
    # The newest PriceDecision about the release, here so that the value is summed without a subquery for each copy.
    price_decision = models.CharField(max_length=5, choices=Decision, blank=True, default=Decision.NONE)
    # When that decision, the owner's own figure and the media grade were last changed here; what they were before is in
    # PriceDecision, OwnValue and GradeEdit.
    decided_at = models.DateTimeField(null=True, blank=True)
    own_minor = models.BigIntegerField(
        null=True, blank=True, help_text="The owner's own figure, in minor units of USD."
    )
    own_set_at = models.DateTimeField(null=True, blank=True)
    grade_edited_at = models.DateTimeField(null=True, blank=True)
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)
    # The import pass that last saw the copy: a copy that a complete pass did not see was removed.
    seen_in_pass = models.BigIntegerField(default=0)

    objects = CollectionInstanceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "instance_id"], name="instance_once_per_connection"
            ),
            models.CheckConstraint(
                name="paid_is_an_amount",
                condition=Q(paid_minor__gte=0) | Q(paid_minor__isnull=True, paid_currency=""),
            ),
        ]
        indexes = [
            # For the owners of a release: its price is fetched once for all of them.
            models.Index(fields=["release", "removed_at"], name="instance_by_release"),
            # For a user's copies, newest first.
            models.Index(fields=["connection", "removed_at", "-added_at"], name="instance_by_connection"),
        ]

    def __str__(self) -> str:
        return f"copy {self.instance_id}"


class PriceDecision(models.Model):
    """One decision of an owner, kept for ever: the value of a past day uses the one that stood at its end."""

    connection = models.ForeignKey(
        DiscogsConnection, on_delete=models.CASCADE, related_name="decisions", db_index=False
    )
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="+", db_index=False)
    decision = models.CharField(max_length=5, choices=Decision, blank=True)
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [
            # Also the index for the decisions about a release in order.
            models.UniqueConstraint(
                fields=["connection", "release", "decided_at"], name="one_decision_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_decision_display()}: {self.release_id}"


class OwnValue(models.Model):
    """One figure that an owner set for a copy, or its withdrawal; kept, so that a past day has the one of its time."""

    copy = models.ForeignKey(
        CollectionInstance, on_delete=models.CASCADE, related_name="own_values", db_index=False
    )
    amount_minor = models.BigIntegerField(
        null=True, blank=True, help_text="As its owner typed it; empty: withdrawn."
    )
    currency = models.CharField(max_length=3, blank=True)
    usd_minor = models.BigIntegerField(
        null=True, blank=True, help_text="At the rate of that day, in minor units of USD."
    )
    note = models.TextField(blank=True)
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["copy", "set_at"], name="one_own_value_at_a_time"),
            models.CheckConstraint(
                name="own_value_is_an_amount",
                condition=Q(amount_minor__gte=0, usd_minor__gte=0) & ~Q(currency="")
                | Q(amount_minor__isnull=True, usd_minor__isnull=True, currency=""),
            ),
        ]

    def __str__(self) -> str:
        return f"own value of copy {self.copy_id}"


class GradeEdit(models.Model):
    """A change of a copy's media grade, as an import found it; kept, so that a past day has the grade of its time."""

    copy = models.ForeignKey(
        CollectionInstance, on_delete=models.CASCADE, related_name="grade_edits", db_index=False
    )
    before = models.TextField(blank=True)
    edited_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["copy", "edited_at"], name="one_grade_edit_at_a_time"),
        ]

    def __str__(self) -> str:
        return f"grade of copy {self.copy_id}, was {self.before!r}"


class WantlistItem(models.Model):
    # The index of the constraint begins with it.
    connection = models.ForeignKey(
        DiscogsConnection, on_delete=models.CASCADE, related_name="wants", db_index=False
    )
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="wanted_by")
    rating = models.PositiveSmallIntegerField(default=0)
    notes = models.TextField(blank=True)
    added_at = models.DateTimeField()
    seen_in_pass = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "release"], name="want_once_per_connection"),
        ]

    def __str__(self) -> str:
        return f"want {self.release_id}"
