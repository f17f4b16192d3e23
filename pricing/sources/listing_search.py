"""Whether Discogs' search of listings is open to this site: a probe once a day, if DISCOGS_LISTING_SEARCH is on."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django_q.tasks import async_task

from collections_app.discogs import errors
from collections_app.models import Capability, DiscogsConnection
from collections_app.times import is_recent
from pricing.sources.access import POSTPONED, ClientFor, background_broker, held, usable

SEARCH_TASK = "pricing.optional_tasks.probe_listing_search"
KNOWN_FOR = timedelta(hours=24)
CAPABILITY = "search"


def enqueue_probe(*, now: datetime) -> int:
    """Queue a probe if one is due; returns how many were queued."""
    if not settings.DISCOGS_LISTING_SEARCH or _known(now).exists():
        return 0
    async_task(SEARCH_TASK, save=False, broker=background_broker())
    return 1


def probe_listing_search(*, client_for: ClientFor, now: datetime) -> bool:
    """Whether listings can be searched. Requested at most once a day, and never if DISCOGS_LISTING_SEARCH is off."""
    if not settings.DISCOGS_LISTING_SEARCH:
        return False
    known = _known(now).first()
    if known:
        return known.is_available
    copy = held(connection__state=DiscogsConnection.State.ACTIVE).select_related("connection").first()
    access = next(usable([copy.connection]), None) if copy else None
    if copy is None or access is None:
        return False
    try:
        is_available = client_for(access[1]).listing_search(copy.release_id)
    except POSTPONED:
        return False
    except errors.DiscogsError:
        is_available = False
    answer = {"is_available": is_available, "checked_at": now}
    Capability.objects.update_or_create(name=CAPABILITY, defaults=answer)
    return is_available


def _known(now: datetime) -> "QuerySet[Capability]":
    return Capability.objects.filter(is_recent("checked_at", now=now, within=KNOWN_FOR), name=CAPABILITY)
