"""Delete expired rows in batches, each in its own transaction."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from collections_app.models import (
    ApiMinute,
    CollectionInstance,
    PendingAuthorisation,
    Release,
    WantlistItem,
)
from pricing.models import (
    EarlierPrice,
    HealthAlert,
    MarketStat,
    NearMintPrice,
    PriceJob,
    PriceSnapshot,
    ReleasePrice,
    RunItem,
    SourceAttempt,
    SyncRun,
)

BATCH = 1_000  # rows in one transaction

UNOWNED_FOR = timedelta(days=30)  # a disconnected user may come back
RUNS_FOR, MIN_RUNS = timedelta(days=90), 20  # the newest of each user stay, however old they are
JOBS_FOR = timedelta(days=30)
MINUTES_FOR = timedelta(days=30)
ALERTS_FOR = timedelta(days=90)
ANSWERS_FOR = timedelta(days=30)
AUTHORISATIONS_FOR = timedelta(days=1)
SIGN_UPS_FOR = timedelta(days=7)

Rows = QuerySet[Any]


def purge_some(*, now: datetime, limit: int = BATCH) -> Counter[str]:
    """Delete up to `limit` expired rows; returns how many of each kind. An empty result means that none is left."""
    counts: Counter[str] = Counter()
    for kind, rows in purgeable(now=now).items():
        left = limit - counts.total()
        # A kind is deleted after the kinds before it: jobs may be deleted only when the items of old runs are gone.
        if left > 0 and (deleted := _delete(rows, left)):
            counts[kind] = deleted
    return counts


def purge_all(*, now: datetime) -> Counter[str]:
    """Delete all expired rows; returns how many of each kind."""
    counts: Counter[str] = Counter()
    while some := purge_some(now=now):
        counts += some
    return counts


def count_purgeable(*, now: datetime) -> Counter[str]:
    """How many rows of each kind `purge_all` would delete."""
    counts = Counter({kind: rows.count() for kind, rows in purgeable(now=now).items()})
    return +counts


def purgeable(*, now: datetime) -> dict[str, Rows]:
    """The expired rows by kind, in the order in which they may be deleted."""
    runs = _old_runs(now)
    orphans = _orphans(now)
    # The newest price is deleted last: its time shows how long the release has had no owner.
    return {
        "market stats": MarketStat.objects.filter(release__in=orphans),
        "suggestions": NearMintPrice.objects.filter(Q(release__in=orphans) | _replaced_before_history(now)),
        "earlier prices": EarlierPrice.objects.filter(Q(release__in=orphans) | _beyond_history(now)),
        "snapshots": PriceSnapshot.objects.filter(Q(release__in=orphans) | _beyond_history(now)),
        "prices": ReleasePrice.objects.filter(release__in=orphans),
        "run items": RunItem.objects.filter(run__in=runs),
        "runs": runs,
        "jobs": _old_jobs(now, runs),
        "minutes": ApiMinute.objects.filter(minute__lt=now - MINUTES_FOR),
        "alerts": HealthAlert.objects.filter(closed_at__lt=now - ALERTS_FOR),
        "authorisations": PendingAuthorisation.objects.filter(created_at__lt=now - AUTHORISATIONS_FOR),
        "sign-ups": _unconfirmed(now),
        # A session's IP address is deleted with it.
        "sessions": Session.objects.filter(expire_date__lt=now),
        "logins": UserSession.objects.filter(~Exists(Session.objects.filter(pk=OuterRef("session_key")))),
        "answers": SourceAttempt.objects.filter(release__isnull=False, tried_at__lt=now - ANSWERS_FOR),
    }


def _orphans(now: datetime) -> "QuerySet[Release]":
    """Releases that no user holds, has held or wants, and that were not fetched within UNOWNED_FOR.

    A removed copy counts as a row: its owner's history needs the snapshots.
    """
    this = {"release": OuterRef("pk")}
    recent = ReleasePrice.objects.filter(**this, observed_at__gte=now - UNOWNED_FOR)
    return Release.objects.exclude(
        Exists(CollectionInstance.objects.filter(**this))
        | Exists(WantlistItem.objects.filter(**this))
        | Exists(recent)
    )


def _unconfirmed(now: datetime) -> "QuerySet[Any]":
    """Accounts whose email address was never confirmed, so that they were never logged in to."""
    addresses = EmailAddress.objects.filter(user=OuterRef("pk"))
    users = get_user_model().objects.filter(
        date_joined__lt=now - SIGN_UPS_FOR, last_login__isnull=True, is_staff=False
    )
    return users.filter(Exists(addresses), ~Exists(addresses.filter(verified=True)))


def _beyond_history(now: datetime) -> Q:
    """Rows of days before the history that HISTORY_DAYS keeps; none when that is 0."""
    start = _history_start(now)
    return Q(day__lt=start) if start else Q(day__in=())


def _replaced_before_history(now: datetime) -> Q:
    """Suggestions that another one had replaced by the first day that is kept."""
    start = _history_start(now)
    if start is None:
        return Q(day__in=())
    later = NearMintPrice.objects.filter(release=OuterRef("release"), day__gt=OuterRef("day"), day__lte=start)
    return Q(Exists(later))


def _history_start(now: datetime) -> date | None:
    if not settings.HISTORY_DAYS:
        return None
    return now.astimezone(UTC).date() - timedelta(days=settings.HISTORY_DAYS)


def _old_runs(now: datetime) -> "QuerySet[SyncRun]":
    newest = SyncRun.objects.filter(user=OuterRef("user")).order_by("-created_at").values("created_at")
    oldest_kept = Subquery(newest[MIN_RUNS - 1 : MIN_RUNS])
    # Runs over chosen releases have no user, so no page lists them.
    return SyncRun.objects.filter(
        Q(user__isnull=True) | Q(created_at__lt=oldest_kept), finished_at__lt=now - RUNS_FOR
    )


def _old_jobs(now: datetime, runs: "QuerySet[SyncRun]") -> "QuerySet[PriceJob]":
    """Ended jobs that no run refers to any more: an item without its job would count as reused in its run."""
    shown = RunItem.objects.filter(job=OuterRef("pk")).exclude(run__in=runs)
    old = PriceJob.objects.filter(finished_at__lt=now - JOBS_FOR).exclude(state__in=PriceJob.LIVE)
    return old.exclude(Exists(shown))


def _delete(rows: Rows, limit: int) -> int:
    with transaction.atomic():
        ids = list(rows.order_by("pk").values_list("pk", flat=True)[:limit])
        if not ids:
            return 0
        # The conditions are applied again: a release may have got an owner since.
        _, deleted = rows.filter(pk__in=ids).delete()
    return deleted.get(rows.model._meta.label, 0)
