"""Failures of an import: what a failed request means for it, and how to end it early. Stored pages are kept."""

import logging
from datetime import datetime, timedelta

from django.db.models import F

from collections_app.discogs import errors
from collections_app.discogs.client import DiscogsClient
from collections_app.models import DiscogsConnection, ImportPass, ImportPassQuerySet

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 5  # of one page, including those whose process died
# After this long, outages count as failed attempts: a page that always fails cannot be told from an outage.
MAX_OUTAGE = timedelta(days=1)

State = DiscogsConnection.State
END_REASONS = {
    State.RECONNECT_NEEDED: "Discogs no longer accepts the credential. What was read so far is kept. Reconnect.",
    State.UNREADABLE: "Your connection to Discogs cannot be opened: the key it was stored with is missing on this "
    "site. Nothing is lost. Sync again once the key is back, or reconnect.",
    State.PRIVATE: "Discogs says the collection is private. What was read so far is kept.",
    State.GONE: "Discogs does not know this collection any more. What was read so far is kept.",
}
KEPT = "What was read so far is kept. Sync again later."
BROKEN_OFF = f"Reading the collection broke off five times at the same place. {KEPT}"


class Stopped(errors.DiscogsError):
    """The import pass was ended or taken over; this step must not store anything."""

    kind = errors.Kind.STOPPED


class Renamed(errors.DiscogsError):
    """The account was renamed at Discogs. The new name is stored, and the import pass continues with it."""

    kind = errors.Kind.RENAMED


class OwnerNeeded(errors.DiscogsError):
    """The import pass cannot continue until the owner of the connection, now in `state`, has acted."""

    kind = errors.Kind.OWNER

    def __init__(self, state: DiscogsConnection.State) -> None:
        super().__init__(END_REASONS[state])
        self.state = state


def leased_row(import_pass: ImportPass) -> ImportPassQuerySet:
    """The row of the import pass, if it is still running under our lease; otherwise an empty queryset."""
    return ImportPass.objects.running().filter(pk=import_pass.pk, lease_owner=import_pass.lease_owner)


def settle(
    import_pass: ImportPass, client: DiscogsClient, error: errors.DiscogsError, *, now: datetime
) -> float | None:
    """Record what a failed step means; return the seconds until the next step, or None if none follows."""
    if isinstance(error, Stopped):
        return None
    if isinstance(error, errors.CredentialsRejected | errors.AccessDenied | errors.NotFound):
        error = _classify_refusal(import_pass, client, error)
    leased_row(import_pass).update(requests=F("requests") + client.requests_sent)
    if isinstance(error, OwnerNeeded):
        return end(import_pass, error.state, now=now)
    if isinstance(error, Renamed):
        return _wait(import_pass, 0.0, now=now)
    if isinstance(error, errors.GateClosed):
        return _wait(import_pass, error.wait_seconds, now=now)
    is_outage = error.opened_breaker and now < import_pass.started_at + MAX_OUTAGE
    if is_outage or isinstance(error, errors.RateLimited):
        return _wait(import_pass, 1.0, now=now)  # the gate then says how long to wait
    return _failed(import_pass, error, now=now)


def _classify_refusal(
    import_pass: ImportPass, client: DiscogsClient, error: errors.DiscogsError
) -> errors.DiscogsError:
    """What a refusal means. One identity request verifies it before the user is told to act."""
    try:
        confirm_owner(import_pass, client)
    except errors.CredentialsRejected:
        return OwnerNeeded(State.RECONNECT_NEEDED)
    except errors.DiscogsError as other:
        return other
    if isinstance(error, errors.CredentialsRejected):
        return errors.ServerError(str(error))  # the 401 was a mistake of Discogs
    return OwnerNeeded(State.PRIVATE if isinstance(error, errors.AccessDenied) else State.GONE)


def confirm_owner(import_pass: ImportPass, client: DiscogsClient) -> None:
    """Ask Discogs whose credentials these are. Raises OwnerNeeded for another account, Renamed for a new name."""
    connection, identity = import_pass.connection, client.identity()
    if identity.discogs_id != connection.discogs_user_id:
        raise OwnerNeeded(State.RECONNECT_NEEDED)
    if identity.username != connection.discogs_username:
        # If the user has disconnected meanwhile, the row is gone; that is not an error.
        DiscogsConnection.objects.filter(pk=connection.pk).update(discogs_username=identity.username)
        raise Renamed("The account was renamed at Discogs.")


def _wait(import_pass: ImportPass, seconds: float, *, now: datetime) -> float:
    """Continue later. The page did not cause the failure, so the attempt is not counted."""
    later = now + timedelta(seconds=seconds)
    leased_row(import_pass).update(lease_until=None, not_before=later, attempts=F("attempts") - 1)
    return seconds


def end(import_pass: ImportPass, state: DiscogsConnection.State, *, now: datetime) -> float | None:
    """End the import pass, since it cannot succeed until its owner acts. No step follows.

    If the owner reconnected while the old credential was in use, the import pass continues with the new one.
    """
    used = DiscogsConnection.objects.filter(
        pk=import_pass.connection_id, credential=import_pass.connection.credential
    )
    if not used.update(state=state):
        return _wait(import_pass, 0.0, now=now)
    give_up(import_pass, END_REASONS[state], now=now)
    logger.warning("import %s ended: connection %s is %s", import_pass.pk, import_pass.connection_id, state)
    return None


def _failed(import_pass: ImportPass, error: errors.DiscogsError, *, now: datetime) -> float | None:
    """Retry the page later, or end the import pass."""
    if import_pass.attempts >= MAX_ATTEMPTS:
        give_up(import_pass, f"{error} {KEPT}", now=now)
        return None
    seconds = 2.0**import_pass.attempts
    later = now + timedelta(seconds=seconds)
    leased_row(import_pass).update(error=str(error), lease_until=None, not_before=later)
    return seconds


def give_up(import_pass: ImportPass, why: str, *, now: datetime) -> None:
    """End the import pass. What it has stored is kept."""
    leased_row(import_pass).update(
        state=ImportPass.State.FAILED, finished_at=now, lease_until=None, error=why
    )
