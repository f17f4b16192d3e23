"""What a failed request means for an import, and how one ends before its time. What it has stored stays."""

import logging
from datetime import datetime, timedelta

from django.db.models import F

from collections_app.discogs import errors
from collections_app.discogs.client import DiscogsClient
from collections_app.models import DiscogsConnection, ImportPass, ImportPassQuerySet

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 5  # tries of one page, also of those that never came back
# So old, a walk takes an outage for its own failure: a page that never comes looks the same to who asks for it alone.
LONGEST_OUTAGE = timedelta(days=1)

State = DiscogsConnection.State
ENDINGS = {
    State.RECONNECT_NEEDED: "Discogs no longer accepts the credential. What was read so far is kept. Reconnect.",
    State.UNREADABLE: "Your connection to Discogs cannot be opened: the key it was stored with is missing on this "
    "site. Nothing is lost. Sync again once the key is back, or reconnect.",
    State.PRIVATE: "Discogs says the collection is private. What was read so far is kept.",
    State.GONE: "Discogs does not know this collection any more. What was read so far is kept.",
}
KEPT = "What was read so far is kept. Sync again later."
BROKEN_OFF = f"Reading the collection broke off five times at the same place. {KEPT}"


class Stopped(errors.DiscogsError):
    """The walk was ended or taken over; nothing of this step may be stored."""

    kind = errors.Kind.STOPPED


class Renamed(errors.DiscogsError):
    """The account has another name at Discogs now. It is stored: the walk goes on under it."""

    kind = errors.Kind.RENAMED


class OwnerNeeded(errors.DiscogsError):
    """The walk cannot go on before the owner of the connection, now in `state`, has done something."""

    kind = errors.Kind.OWNER

    def __init__(self, state: DiscogsConnection.State) -> None:
        super().__init__(ENDINGS[state])
        self.state = state


def mine(walk: ImportPass) -> ImportPassQuerySet:
    """The walk's row while it runs and nobody has taken it over; otherwise none."""
    return ImportPass.objects.running().filter(pk=walk.pk, lease_owner=walk.lease_owner)


def settle(
    walk: ImportPass, client: DiscogsClient, error: errors.DiscogsError, *, now: datetime
) -> float | None:
    """Write down what a failed step means; returns after how many seconds the next one is due, if any is."""
    if isinstance(error, Stopped):
        return None
    if isinstance(error, errors.CredentialsRejected | errors.AccessDenied | errors.NotFound):
        error = _explained(walk, client, error)
    mine(walk).update(requests=F("requests") + client.requests_sent)
    if isinstance(error, OwnerNeeded):
        return end(walk, error.state, now=now)
    if isinstance(error, Renamed):
        return _wait(walk, 0.0, now=now)
    if isinstance(error, errors.GateClosed):
        return _wait(walk, error.wait_seconds, now=now)
    is_outage = error.opened_breaker and now < walk.started_at + LONGEST_OUTAGE
    if is_outage or isinstance(error, errors.RateLimited):
        return _wait(walk, 1.0, now=now)  # the gate knows for how long; ask it then
    return _failed(walk, error, now=now)


def _explained(walk: ImportPass, client: DiscogsClient, error: errors.DiscogsError) -> errors.DiscogsError:
    """What a refusal means. Asks once who we are before telling someone that their connection is at fault."""
    try:
        confirm_owner(walk, client)
    except errors.CredentialsRejected:
        return OwnerNeeded(State.RECONNECT_NEEDED)
    except errors.DiscogsError as other:
        return other
    if isinstance(error, errors.CredentialsRejected):
        return errors.ServerError(str(error))  # a 401 by mistake
    return OwnerNeeded(State.PRIVATE if isinstance(error, errors.AccessDenied) else State.GONE)


def confirm_owner(walk: ImportPass, client: DiscogsClient) -> None:
    """Ask Discogs who we are. Raises OwnerNeeded for somebody else than before, Renamed for another name."""
    connection, me = walk.connection, client.identity()
    if me.discogs_id != connection.discogs_user_id:
        raise OwnerNeeded(State.RECONNECT_NEEDED)
    if me.username != connection.discogs_username:
        # Whoever has disconnected meanwhile has no row any more, and that is no error.
        DiscogsConnection.objects.filter(pk=connection.pk).update(discogs_username=me.username)
        raise Renamed("The account has another name at Discogs now.")


def _wait(walk: ImportPass, seconds: float, *, now: datetime) -> float:
    """Go on later. The page is not to blame, so its try is not counted."""
    later = now + timedelta(seconds=seconds)
    mine(walk).update(lease_until=None, not_before=later, attempts=F("attempts") - 1)
    return seconds


def end(walk: ImportPass, state: DiscogsConnection.State, *, now: datetime) -> float | None:
    """Give the walk up, since it cannot succeed before its owner has done something. No step follows.

    Whoever has reconnected while the old credential was in use has done so already: the walk goes on with the new one.
    """
    used = DiscogsConnection.objects.filter(pk=walk.connection_id, credential=walk.connection.credential)
    if not used.update(state=state):
        return _wait(walk, 0.0, now=now)
    give_up(walk, ENDINGS[state], now=now)
    logger.warning("import %s ended: connection %s is %s", walk.pk, walk.connection_id, state)
    return None


def _failed(walk: ImportPass, error: errors.DiscogsError, *, now: datetime) -> float | None:
    """Try the page again later, or give the walk up."""
    if walk.attempts >= MAX_ATTEMPTS:
        give_up(walk, f"{error} {KEPT}", now=now)
        return None
    seconds = 2.0**walk.attempts
    later = now + timedelta(seconds=seconds)
    mine(walk).update(error=str(error), lease_until=None, not_before=later)
    return seconds


def give_up(walk: ImportPass, why: str, *, now: datetime) -> None:
    """End the walk. What it has stored stays."""
    mine(walk).update(state=ImportPass.State.FAILED, finished_at=now, lease_until=None, error=why)
