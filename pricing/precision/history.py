"""Learn again from a release's history what its latest price holds: after a restore, or if the columns are in doubt."""

from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import Any

from pricing.models import PriceSnapshot, ReleasePrice
from pricing.precision.estimator import Learned, in_days, learn

CHUNK = 5_000  # snapshots fetched at a time
COLUMNS = ("release_id", "day", "observed_at", "amount_minor", "doubt")
LEARNED = ("s2", "exposure_days", "last_minor", "last_priced_at", "doubted_minor", "doubted_on")


def relearn(release_ids: Sequence[int]) -> None:
    """Set the last price, the doubted one and the estimator's sums of these releases from their snapshots."""
    prices = ReleasePrice.objects.in_bulk(release_ids)
    rows = PriceSnapshot.objects.filter(release__in=release_ids, amount_minor__isnull=False)
    ordered = rows.order_by("release_id", "day").values_list(*COLUMNS, named=True)
    for release_id, readings in groupby(ordered.iterator(CHUNK), key=lambda row: row.release_id):
        if price := prices.get(release_id):
            _learn(price, list(readings))
    ReleasePrice.objects.bulk_update(prices.values(), LEARNED, batch_size=100)


def _learn(price: ReleasePrice, readings: list[Any]) -> None:
    """Set the columns LEARNED from readings with a price, of COLUMNS and oldest first."""
    known, counted = Learned(), [row for row in readings if not row.doubt]
    for before, after in pairwise(counted):
        days = in_days(after.observed_at - before.observed_at)
        known = learn(known, before_minor=before.amount_minor, after_minor=after.amount_minor, days=days)
    price.s2, price.exposure_days = known
    if counted:
        price.last_priced_at, price.last_minor = counted[-1].observed_at, counted[-1].amount_minor
    newest = readings[-1]
    price.doubted_minor, price.doubted_on = (
        (newest.amount_minor, newest.day) if newest.doubt else (None, None)
    )
