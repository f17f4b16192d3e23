"""Learn again from a release's history what its latest price holds: after a restore, or if the columns are in doubt."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby, pairwise

from pricing.models import PriceSnapshot, ReleasePrice
from pricing.precision.estimator import Learned, in_days, learn

CHUNK = 5_000  # snapshots fetched at a time


def relearn(release_ids: Sequence[int]) -> None:
    """Set the last price and the estimator's sums of these releases from their snapshots."""
    prices = ReleasePrice.objects.in_bulk(release_ids)
    rows = PriceSnapshot.objects.filter(release__in=release_ids, amount_minor__isnull=False)
    ordered = rows.order_by("release_id", "day").values_list("release_id", "observed_at", "amount_minor")
    for release_id, readings in groupby(ordered.iterator(CHUNK), key=lambda row: row[0]):
        if price := prices.get(release_id):
            _learn(price, [(observed_at, amount or 0) for _, observed_at, amount in readings])
    ReleasePrice.objects.bulk_update(
        prices.values(), ["s2", "exposure_days", "last_minor", "last_priced_at"], batch_size=100
    )


def _learn(price: ReleasePrice, readings: list[tuple[datetime, int]]) -> None:
    known = Learned()
    for (before_at, before), (after_at, after) in pairwise(readings):
        known = learn(known, before_minor=before, after_minor=after, days=in_days(after_at - before_at))
    price.s2, price.exposure_days = known
    price.last_priced_at, price.last_minor = readings[-1]
