"""A user's connection to Discogs, and their preferences."""

import uuid

from django.conf import settings
from django.db import models

from collections_app.currencies import CODES


class DiscogsConnection(models.Model):
    """A user's connection to Discogs, at most one; the credential is readable through `credentials` only."""

    class Kind(models.TextChoices):
        TOKEN = "token", "Personal access token"
        OAUTH = "oauth", "Authorised at Discogs"

    class State(models.TextChoices):
        ACTIVE = "active", "Connected"
        RECONNECT_NEEDED = "reconnect_needed", "Reconnect needed"
        # Discogs has not refused it: once the key is back, the connection works as before.
        UNREADABLE = "unreadable", "Key missing"
        PRIVATE = "private", "Collection is private"
        GONE = "gone", "Not at Discogs any more"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="discogs_connection"
    )
    discogs_user_id = models.BigIntegerField()
    discogs_username = models.CharField(max_length=255)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.TOKEN)
    state = models.CharField(max_length=20, choices=State, default=State.ACTIVE)
    credential = models.TextField(
        blank=True, help_text="Encrypted; the owner's id is inside. Empty after an import from a file."
    )
    # Required for price suggestions; None: not known yet.
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

    @property
    def needs_reconnect(self) -> bool:
        """Whether no request can succeed until the user reconnects or, for `unreadable`, the key is back."""
        return self.state in (self.State.RECONNECT_NEEDED, self.State.UNREADABLE)


class PendingAuthorisation(models.Model):
    """A user was sent to Discogs to authorise us and has not returned yet. Usable once, within ten minutes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, help_text="Known to the session only.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="pending_authorisations"
    )
    credential = models.TextField(blank=True, help_text="The request token and its secret, encrypted.")
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"authorisation of {self.user_id}"


class Preferences(models.Model):
    """A user's preferences."""

    class SyncEvery(models.IntegerChoices):
        SIX_HOURS = 6, "Every 6 hours"
        TWELVE_HOURS = 12, "Every 12 hours"
        DAY = 24, "Daily"
        WEEK = 168, "Weekly"
        NEVER = 0, "Only when I ask"

    class Basis(models.TextChoices):
        """Which figure of the market a copy's value comes from, if its owner has set none."""

        FLOOR = "floor", "Lowest listing"
        GRADE = "grade", "By grade"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preferences"
    )
    sync_every_hours = models.PositiveSmallIntegerField(choices=SyncEvery, default=SyncEvery.DAY)
    currency = models.CharField(
        max_length=3, choices=[(code, code) for code in CODES], default="USD", help_text="Of all totals."
    )
    basis = models.CharField(max_length=5, choices=Basis, default=Basis.FLOOR)
    hides_amounts = models.BooleanField(default=False)
    time_zone = models.CharField(max_length=64, default="UTC", help_text="A name of the IANA database.")
    locale = models.CharField(
        max_length=16, default="en", help_text="A BCP 47 tag: how numbers and dates are written."
    )

    class Meta:
        verbose_name_plural = "preferences"

    def __str__(self) -> str:
        return f"preferences of {self.user_id}"
