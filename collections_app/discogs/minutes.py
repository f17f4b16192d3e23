"""The response-time trend: one row for each minute, with how Discogs answered, and what its sums mean."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Greatest

from collections_app.models import ApiMinute


def add_to_minute(
    egress: str,
    *,
    at: datetime,
    requests: int = 0,
    faults: int = 0,
    refusals: int = 0,
    latency_ms_sum: int = 0,
    latency_ms_max: int = 0,
) -> None:
    """Add to the row of a minute; create it if there is none. Safe for concurrent processes."""
    minute = at.replace(second=0, microsecond=0)
    sums = {"requests": requests, "faults": faults, "refusals": refusals, "latency_ms_sum": latency_ms_sum}

    def add() -> int:
        return ApiMinute.objects.filter(egress=egress, minute=minute).update(
            latency_ms_max=Greatest("latency_ms_max", latency_ms_max),
            **{name: F(name) + value for name, value in sums.items()},
        )

    if add():
        return
    try:
        with transaction.atomic():
            ApiMinute.objects.create(egress=egress, minute=minute, latency_ms_max=latency_ms_max, **sums)
    except IntegrityError:
        add()


def average_ms(*, requests: int, faults: int, refusals: int, latency_ms_sum: int) -> float | None:
    """The average response time of some minutes, from their sums; None if no proper answer came."""
    # Latencies are recorded for successful answers only, not for faults or refusals.
    answers = requests - faults - refusals
    return latency_ms_sum / answers if answers > 0 else None
