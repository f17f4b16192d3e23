"""One price job, from claim to outcome. At least one execution, exactly one effect."""

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
from collections_app.importing.failures import ENDINGS
from collections_app.models import DiscogsConnection
from pricing.models import PriceJob, SyncRun
from pricing.sync import planner
from pricing.sync.absence import record_not_found
from pricing.sync.recorder import record_market
from pricing.sync.retry import Action, decide

logger = logging.getLogger(__name__)

# A task is killed at PRICE_TASK_TIMEOUT; a lease that outlives it by this much has no living holder.
LEASE_MARGIN = timedelta(seconds=5)
MAX_OWNERS_TRIED = 20  # each costs a decryption and no request
RECONNECT = "Discogs no longer accepts the credential. The prices fetched so far are kept. Reconnect, then sync again."


def lease() -> timedelta:
    """How long a claim is good for."""
    return timedelta(seconds=settings.PRICE_TASK_TIMEOUT) + LEASE_MARGIN


def this_worker() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


class Outcome(StrEnum):
    """What became of one delivery of a job."""

    KNOWN = "known"  # stored
    PUT_OFF = "put_off"  # for the limit or an outage; no attempt was used
    FAILED = "failed"  # an attempt was used
    SUPERSEDED = "not_ours"  # delivered twice, cancelled, or taken over by another worker


def refresh_job(
    job_id: int, *, client_for: Callable[[Credentials, bool], DiscogsClient], clock: Callable[[], datetime]
) -> Outcome:
    """Fetch and store the price of a queued job's release. One request.

    client_for: makes a client from credentials and whether someone waits for the answer.
    """
    job = _claim(job_id, now=clock())
    if job is None:
        return Outcome.SUPERSEDED
    found = _access(job, now=clock())
    if found is None:
        error = errors.CredentialsRejected("Nobody who owns this release is connected to Discogs. Reconnect.")
        return _settle(job, error, requests=0, now=clock())
    connection, credentials = found
    client = client_for(credentials, job.lane == PriceJob.Lane.INTERACTIVE)
    try:
        store = partial(record_market, job, client.release_market(job.release_id))
    except errors.NotFound:
        store = partial(record_not_found, job)
    except errors.DiscogsError as error:
        if isinstance(error, errors.CredentialsRejected) and connection:
            error = _confirm_rejection(job, connection, client, error, now=clock())
        return _settle(job, error, requests=client.requests_sent, now=clock())
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


def _access(job: PriceJob, *, now: datetime) -> tuple[DiscogsConnection | None, Credentials] | None:
    """Whose credentials fetch this release: those who asked, then other owners, then the site's own."""
    # A private or lost collection is no reason: prices are public, and the credential is good.
    rejected = Q(state=DiscogsConnection.State.RECONNECT_NEEDED) | Q(credential="")
    # Those that could be read the last time come first; the others are tried too, since their key may be back.
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
                _end_for(connection, DiscogsConnection.State.UNREADABLE, now=now)
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
    """Ask once who we are before telling someone to reconnect; a 401 also happens by mistake."""
    try:
        client.identity()
    except errors.CredentialsRejected:
        _end_for(connection, DiscogsConnection.State.RECONNECT_NEEDED, now=now)
        # Who else waits for it may have credentials that do: the job tries again, and ends when there are none.
        is_wanted = job.items.filter(run__state__in=SyncRun.ACTIVE).exists()
        return errors.GateClosed(0, "reconnect") if is_wanted else error
    except (errors.NotFound, errors.AccessDenied):
        return errors.ServerError("Discogs refused the credential, and did not say whose it is.")
    except errors.DiscogsError as other:
        return other
    return errors.ServerError(str(error))


def _end_for(connection: DiscogsConnection, state: DiscogsConnection.State, *, now: datetime) -> None:
    """Mark a connection and end its user's run; what others wait for goes on with other credentials.

    Whoever has reconnected while the old credential was in use is left alone.
    """
    used = DiscogsConnection.objects.filter(pk=connection.pk, credential=connection.credential)
    if used.update(state=state):
        error = RECONNECT if state == DiscogsConnection.State.RECONNECT_NEEDED else ENDINGS[state]
        planner.fail_runs_of(connection.user_id, error=error, now=now)


def _settle(job: PriceJob, error: errors.DiscogsError, *, requests: int, now: datetime) -> Outcome:
    """Write down what a failed attempt means for the job."""
    decision = decide(
        error.retry,
        job.attempts,
        max_attempts=settings.PRICE_RETRY_ATTEMPTS,
        jitter=random.random(),  # noqa: S311 spreads retries, guards nothing
        minute=settings.DISCOGS_RATE_WINDOW / 60,
        outage=error.opened_breaker,
    )
    mine = PriceJob.objects.filter(pk=job.pk, state=PriceJob.State.RUNNING, lease_owner=job.lease_owner)
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
