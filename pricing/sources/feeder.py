"""Queues optional requests while there is no other work."""

from datetime import datetime

from django.conf import settings
from django_q.conf import Conf
from django_q.models import OrmQ

from collections_app.discogs import gate
from pricing.sources import discogs_range, listing_search, suggestions
from pricing.sources.access import is_busy


def feed_if_idle(*, now: datetime) -> int:
    """Queue optional requests for one minute if there is no other work; returns how many."""
    if is_busy() or OrmQ.objects.filter(key=Conf.CLUSTER_NAME).exists() or gate.status().reason:
        return 0
    budget = _idle_budget()
    probes = listing_search.enqueue_probe(now=now)
    ranges = discogs_range.enqueue_due(budget, now=now)
    return probes + ranges + suggestions.enqueue_due(budget - ranges, now=now)


def _idle_budget() -> int:
    """How many requests to queue for a minute, with room for interactive requests."""
    return max(1, min(50, int(settings.DISCOGS_RATE_LIMIT * 60 / settings.DISCOGS_RATE_WINDOW / 3)))
