"""Execute one price job, from claim to outcome. It may run more than once and has exactly one effect."""

import logging
import os
import random
import socket
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from django.conf import settings
from django.db.models import Case, F, Q, When

from collections_app.connections.credentials import CredentialUnreadable, credentials_of, restore
from collections_app.discogs import errors
from collections_app.discogs.client import Credentials, DiscogsClient
from collections_app.importing.failures import END_REASONS
from collections_app.models import DiscogsConnection
from pricing.models import PriceJob, SyncRun
from pricing.sync import runs
from pricing.sync.absence import record_not_found
from pricing.sync.recorder import record_market
from pricing.sync.retry import Action, decide

logger = logging.getLogger(__name__)

# A task is killed at PRICE_TASK_TIMEOUT; if a lease is older than that by this much, its holder is dead.
LEASE_MARGIN = timedelta(seconds=5)
MAX_OWNERS_TRIED = 20  # each costs a decryption and no request
RECONNECT = "Discogs no longer accepts the credential. The prices fetched so far are kept. Reconnect, then sync again."


def lease() -> timedelta:
    """How long a claim is valid."""
    return timedelta(seconds=settings.PRICE_TASK_TIMEOUT) + LEASE_MARGIN


def this_worker() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


class Outcome(StrEnum):
    """The result of one delivery of a job."""

    KNOWN = "known"  # stored
    PUT_OFF = "put_off"  # because of the limit or an outage; no attempt was used
    FAILED = "failed"  # an attempt was used
    SUPERSEDED = "not_ours"  # delivered twice, cancelled, or taken over by another worker


def refresh_job(
    job_id: int, *, client_for: Callable[[Credentials, bool], DiscogsClient], clock: Callable[[], datetime]
) -> Outcome:
    """Fetch and store the price of a queued job's release. One request.

    client_for: makes a client from credentials and whether the request is interactive.
    """
    job = _claim(job_id, now=clock())
    if job is None:
        return Outcome.SUPERSEDED
    found = _find_credentials(job, now=clock())
    if found is None:
        error = errors.CredentialsRejected("No owner of this release is connected to Discogs. Reconnect.")
        return _record_failure(job, error, requests=0, now=clock())
    connection, credentials = found
    client = client_for(credentials, job.lane == PriceJob.Lane.INTERACTIVE)
    try:
        store = partial(record_market, job, client.release_market(job.release_id))
    except errors.NotFound:
        store = partial(record_not_found, job)
    except errors.DiscogsError as error:
        if isinstance(error, errors.CredentialsRejected) and connection:
            error = _confirm_rejection(job, connection, client, error, now=clock())
        return _record_failure(job, error, requests=client.requests_sent, now=clock())
    duration_ms = round(1000 * client.answered_in)
    stored = store(duration_ms=duration_ms, requests=client.requests_sent, now=clock())
    return Outcome.KNOWN if stored else Outcome.SUPERSEDED


def _claim(job_id: int, *, now: datetime) -> PriceJob | None:
    owner = uuid.uuid4()
    claimed = PriceJob.objects.filter(pk=job_id, state=PriceJob.State.QUEUED).update(
        state=PriceJob.State.RUNNING,
        lease_owner=owner,
        lease_until=now + lease(),
        attempts=F("attempts") + 1,
        worker=this_worker(),
        started_at=now,
    )
    return PriceJob.objects.get(pk=job_id, lease_owner=owner) if claimed else None


def _find_credentials(job: PriceJob, *, now: datetime) -> tuple[DiscogsConnection | None, Credentials] | None:
    """Find credentials for this release: of users whose runs include it, then of other owners, then the site's own."""
    # A connection whose collection is private or lost may be used: prices are public, and the credential is good.
    rejected = Q(state=DiscogsConnection.State.RECONNECT_NEEDED) | Q(credential="")
    # Credentials that were readable the last time come first; the others are tried too, as their key may be back.
    last = Case(When(state=DiscogsConnection.State.UNREADABLE, then=1), default=0)
    usable = DiscogsConnection.objects.exclude(rejected).order_by(last, "pk")
    asked = usable.filter(user__sync_runs__items__job=job)
    own = usable.filter(instances__release=job.release_id)
    for connections in (asked, own):
        for connection in connections.distinct()[:MAX_OWNERS_TRIED]:
            try:
                credentials = credentials_of(connection)
            except CredentialUnreadable:
                logger.error("connection %s: stored credential is unreadable", connection.pk)
                _mark_connection(connection, DiscogsConnection.State.UNREADABLE, now=now)
                continue
            if connection.state == DiscogsConnection.State.UNREADABLE:
                restore(connection)
            return connection, credentials
    if settings.DISCOGS_CONSUMER_KEY and settings.DISCOGS_CONSUMER_SECRET:
        return None, Credentials.from_consumer(
            settings.DISCOGS_CONSUMER_KEY, settings.DISCOGS_CONSUMER_SECRET
        )
    return None


def _confirm_rejection(
    job: PriceJob,
    connection: DiscogsConnection,
    client: DiscogsClient,
    error: errors.DiscogsError,
    *,
    now: datetime,
) -> errors.DiscogsError:
    """Check the credential with one identity request before asking the user to reconnect: a 401 may be a mistake."""
    try:
        client.identity()
    except errors.CredentialsRejected:
        _mark_connection(connection, DiscogsConnection.State.RECONNECT_NEEDED, now=now)
        # Another owner's credentials may still work: the job is tried again, and ends when there are none left.
        is_wanted = job.items.filter(run__state__in=SyncRun.ACTIVE).exists()
        return errors.GateClosed(0, "reconnect") if is_wanted else error
    except (errors.NotFound, errors.AccessDenied):
        return errors.ServerError(
            "Discogs refused the credential, but the identity check did not confirm it."
        )
    except errors.DiscogsError as other:
        return other
    return errors.ServerError(str(error))


def _mark_connection(connection: DiscogsConnection, state: DiscogsConnection.State, *, now: datetime) -> None:
    """Set a connection's state and fail its user's run; jobs that other runs need continue with other credentials.

    Nothing changes if the user has reconnected while the old credential was in use.
    """
    used = DiscogsConnection.objects.filter(pk=connection.pk, credential=connection.credential)
    if used.update(state=state):
        error = RECONNECT if state == DiscogsConnection.State.RECONNECT_NEEDED else END_REASONS[state]
        runs.fail_runs_of(connection.user_id, error=error, now=now)


def _record_failure(job: PriceJob, error: errors.DiscogsError, *, requests: int, now: datetime) -> Outcome:
    """Store the consequence of a failed attempt for the job."""
    decision = decide(
        error.retry,
        job.attempts,
        max_attempts=settings.PRICE_RETRY_ATTEMPTS,
        jitter=random.random(),  # noqa: S311 spreads retries, guards nothing
        minute=settings.DISCOGS_RATE_WINDOW / 60,
        outage=error.opened_breaker,
    )
    mine = PriceJob.objects.leased(job)
    common = {"requests": job.requests + requests, "error_kind": error.kind, "error": str(error)}
    if decision.action == Action.GIVE_UP:
        mine.update(state=PriceJob.State.DEAD, finished_at=now, **common)
        logger.warning("job %s: release %s failed for good: %s", job.pk, job.release_id, error.kind)
        return Outcome.FAILED
    wait = max(decision.seconds, getattr(error, "wait_seconds", 0.0))
    logger.debug("job %s: release %s: %s, again in %.0f s", job.pk, job.release_id, error.kind, wait)
    mine.update(
        state=PriceJob.State.WAITING,
        not_before=now + timedelta(seconds=wait),
        attempts=job.attempts if decision.counts else job.attempts - 1,
        lease_until=None,
        **common,
    )
    return Outcome.FAILED if decision.counts else Outcome.PUT_OFF
