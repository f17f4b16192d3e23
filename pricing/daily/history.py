"""Read what a replay needs of a user's copies and their releases, some releases at a time."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from collections_app.discogs.payloads import MarketStatus
from collections_app.models import CollectionInstance, GradeEdit, OwnValue, PriceDecision, Release
from pricing.daily.replay import CopyHistory, Reading, ReleaseHistory
from pricing.models import EarlierPrice, NearMintPrice, PriceSnapshot
from pricing.value.freshness import PRICE_COUNTS_FOR

BATCH = 100  # releases at a time: three years of daily readings are 100,000 rows
CHUNK = 5_000  # rows fetched at a time

Log = dict[int, list[tuple[Any, Any]]]


def histories_of(user_id: int, *, since: date) -> Iterator[ReleaseHistory]:
    """All releases that a user holds or has held, with what decides their value at the end of `since` - 1 and later.

    Eight queries for each BATCH of releases.
    """
    releases = CollectionInstance.objects.of(user_id).release_ids().distinct().order_by("release_id")
    ids = list(releases)
    for start in range(0, len(ids), BATCH):
        yield from _some(user_id, ids[start : start + BATCH], since=since)


def _some(user_id: int, ids: Sequence[int], *, since: date) -> Iterator[ReleaseHistory]:
    # A price counts for PRICE_COUNTS_FOR, so older readings do not matter to the day before `since`.
    oldest = since - timedelta(days=1) - PRICE_COUNTS_FOR
    copies = _copies(user_id, ids)
    decisions = _log(
        PriceDecision.objects.filter(connection__user_id=user_id, release__in=ids).order_by("decided_at"),
        "release_id",
        "decided_at",
        "decision",
    )
    near_mint = _log(
        NearMintPrice.objects.filter(release__in=ids).order_by("day"), "release_id", "day", "amount_minor"
    )
    earlier = _log(
        EarlierPrice.objects.filter(release__in=ids, day__gte=oldest).order_by("day"),
        "release_id",
        "observed_at",
        "amount_minor",
    )
    readings = _readings(ids, oldest=oldest)
    for release in ids:
        yield ReleaseHistory(
            copies[release],
            readings.get(release, ()),
            earlier.get(release, ()),
            near_mint.get(release, ()),
            decisions.get(release, ()),
        )


def _copies(user_id: int, ids: Sequence[int]) -> dict[int, list[CopyHistory]]:
    mine = CollectionInstance.objects.of(user_id).filter(release__in=ids).order_by()
    edited = mine.filter(grade_edited_at__isnull=False)
    edits = _log(
        GradeEdit.objects.filter(copy__in=edited).order_by("edited_at"), "copy_id", "edited_at", "before"
    )
    valued = mine.filter(own_set_at__isnull=False)
    own = _log(OwnValue.objects.filter(copy__in=valued).order_by("set_at"), "copy_id", "set_at", "usd_minor")
    found: dict[int, list[CopyHistory]] = defaultdict(list)
    columns = ("pk", "release_id", "added_at", "removed_at", "media_condition")
    for pk, release, added_at, removed_at, grade in mine.values_list(*columns):
        history = CopyHistory(added_at, removed_at, grade, edits.get(pk, ()), own.get(pk, ()))
        found[release].append(history)
    return found


def _readings(ids: Sequence[int], *, oldest: date) -> dict[int, list[Reading]]:
    """The readings from a day on, after the one that found a release gone before: it is gone for good until one."""
    found: dict[int, list[Reading]] = defaultdict(list)
    for release, observed_at in _gone_before(ids, oldest):
        found[release].append(Reading(observed_at, MarketStatus.GONE, None))
    rows = PriceSnapshot.objects.filter(release__in=ids, day__gte=oldest).order_by("release_id", "day")
    columns = ("release_id", "observed_at", "status", "amount_minor", "doubt", "num_for_sale", "want")
    for release, *reading in rows.values_list(*columns).iterator(CHUNK):
        found[release].append(Reading(*reading))
    return found


def _gone_before(ids: Sequence[int], day: date) -> Iterator[tuple[int, datetime]]:
    before = PriceSnapshot.objects.filter(release=OuterRef("pk"), day__lt=day).order_by("-day")
    status, observed_at = (Subquery(before.values(name)[:1]) for name in ("status", "observed_at"))
    rows = Release.objects.filter(pk__in=ids).annotate(last_status=status, last_at=observed_at)
    for pk, last_status, last_at in rows.values_list("pk", "last_status", "last_at"):
        if last_status == MarketStatus.GONE:
            yield pk, last_at


def _log(rows: "QuerySet[Any]", key: str, since: str, entry: str) -> Log:
    found: Log = defaultdict(list)
    for of, at, what in rows.values_list(key, since, entry):
        found[of].append((at, what))
    return found
