"""`python -m tests.benchmarks.weights_inside RELEASES USERS HOLDINGS`: fill the database and make two nightly passes.

The rows are made by the database itself: making objects of a million rows would be most of the memory measured.
"""

import json
import os
import resource
import sys
import time
from datetime import timedelta
from typing import Any

import django
from django.utils import timezone


def fill(releases: int, users: int, holdings: int) -> None:
    from django.contrib.auth import get_user_model
    from django.db import connection

    from collections_app.models import DiscogsConnection

    now = timezone.now()
    made = get_user_model().objects.bulk_create(
        [get_user_model()(username=f"user{number}", password="") for number in range(users)], batch_size=500
    )
    connections = DiscogsConnection.objects.bulk_create(
        [
            DiscogsConnection(
                user=user,
                discogs_user_id=user.pk,
                discogs_username=f"name{user.pk}",
                credential="",
                connected_at=now,
            )
            for user in made
        ],
        batch_size=500,
    )
    first = min(each.pk for each in connections)
    series = _series(connection.vendor)
    amount = "(100 + (n * 7919) % 9000)"
    with connection.cursor() as cursor:
        for statement in (
            _insert(
                "collections_app_release",
                series.format(releases),
                discogs_id="n",
                title="'Title ' || n",
                artists="''",
                format="''",
                labels="''",
                catalog_number="''",
                genres="'[]'",
                styles="'[]'",
                thumb_url="''",
                cover_url="''",
            ),
            _insert(
                "pricing_releaseprice",
                series.format(releases),
                release_id="n",
                status="'priced'",
                currency="'USD'",
                amount_minor=amount,
                num_for_sale="n % 50",
                observed_at="CURRENT_TIMESTAMP",
                status_since="CURRENT_TIMESTAMP",
                last_minor=amount,
                last_priced_at="CURRENT_TIMESTAMP",
                s2="(n % 100) / 1000.0",
                exposure_days="n % 200",
                prior_variance="0.004",
                weight="0",
                urgency="0",
                doubt="0",
            ),
            _insert(
                "collections_app_collectioninstance",
                series.format(holdings),
                instance_id="n",
                connection_id=f"{first} + n % {users}",
                release_id=f"1 + (n * 104729) % {releases}",
                rating="0",
                media_condition="''",
                sleeve_condition="''",
                notes="''",
                custom_fields="'{}'",
                price_decision="''",
                paid_currency="''",
                added_at="CURRENT_TIMESTAMP",
                seen_in_pass="0",
            ),
        ):
            cursor.execute(statement)
        cursor.execute("ANALYZE")


def _series(vendor: str) -> str:
    if vendor == "postgresql":
        return "SELECT g::bigint AS n FROM generate_series(1, {}) g"
    return (
        "SELECT n FROM (WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {})"
        " SELECT n FROM s)"
    )


def _insert(table: str, series: str, **columns: str) -> str:
    """An INSERT of one row for each n of the series. Columns without a default in the database are all named."""
    names, values = ", ".join(columns), ", ".join(columns.values())
    return f"INSERT INTO {table} ({names}) SELECT {values} FROM ({series}) AS numbers"


def make_pass(*, days: int) -> tuple[float, float]:
    """Seconds of one pass, and of its longest step."""
    from pricing.precision import weights

    now = timezone.now() + timedelta(days=days)
    began, longest = time.monotonic(), 0.0
    row = weights.begin_pass(now=now)
    longest = time.monotonic() - began
    world = weights.read_world()
    while True:
        started = time.monotonic()
        more = weights.step(row, world, now=now)
        longest = max(longest, time.monotonic() - started)
        if not more:
            return time.monotonic() - began, longest


def main(releases: int, users: int, holdings: int) -> dict[str, Any]:
    from pricing.models import ReleasePrice
    from pricing.precision import weights

    fill(releases, users, holdings)
    first, longest = make_pass(days=0)
    second, longest_of_second = make_pass(days=1)
    return {
        "first_seconds": first,
        "second_seconds": second,
        "longest_step": max(longest, longest_of_second),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "weighted": ReleasePrice.objects.filter(weight__gt=0).count(),
        "threshold": weights.threshold(),
    }


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    sys.stdout.write(json.dumps(main(*map(int, sys.argv[1:]))))
