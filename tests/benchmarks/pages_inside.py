"""`python -m tests.benchmarks.pages_inside USERNAME FIRST COUNT DAYS`: make a user, request their pages, print times.

Every release has a reading for each of the last DAYS days, written day by day as syncs do.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import django
from django.utils import timezone

from tests.benchmarks.seed import seed

REQUESTS = 30
PAGES = {
    "dashboard, warm": ("dashboard", ""),
    "dashboard, first": ("dashboard", ""),  # after a sync: nothing is cached
    "dashboard, all time": ("dashboard", "?range=all"),
    "collection": ("collection", ""),
    "collection, first": ("collection", ""),
    "collection by change": ("collection", "?sort=-change"),
    "collection searched": ("collection", "?q=label+title+7"),
}
COLD = {"dashboard, first", "dashboard, all time", "collection, first"}
VALUE_DAYS = 3 * 365
BATCH = 2000


def fill(username: str, *, first: int, count: int, history: int) -> None:
    """Facts, prices, readings and baselines for every release, and a value for every day of three years."""
    from django.contrib.auth import get_user_model

    from collections_app.models import CollectionInstance
    from pricing.models import CollectionValue, ReleasePrice

    user = get_user_model().objects.get(username=username)
    now = timezone.now()
    CollectionInstance.objects.of(user.pk).update(added_at=now - timedelta(days=VALUE_DAYS + 1))
    prices = (
        ReleasePrice(
            release_id=n,
            observed_at=now,
            status_since=now,
            status="priced",
            currency="USD",
            amount_minor=1000 + (n * 37) % 4000 + n % 300,
            num_for_sale=n % 20 + 1,
            want=n % 500,
            have=n % 900,
        )
        for n in range(first, first + count)
    )
    ReleasePrice.objects.bulk_create(prices, batch_size=BATCH)
    write_history(first, count=count, days=history, today=now.date())
    values = [CollectionValue(user=user, day=day, **value(count, day)) for day in days(now.date())]
    CollectionValue.objects.bulk_create(values, batch_size=BATCH)
    renew_baselines(now.date())


def write_history(first: int, *, count: int, days: int, today: date) -> None:
    """In SQL: ten million rows through the ORM would take an hour."""
    from django.db import connection

    from pricing.models import PriceSnapshot

    day, noon = (
        (f"DATE '{today}' - age.n", f"(DATE '{today}' - age.n) + TIME '12:00' AT TIME ZONE 'UTC'")
        if connection.vendor == "postgresql"
        else (f"date('{today}', '-' || age.n || ' days')",) * 2
    )
    if connection.vendor == "sqlite":
        noon += " || ' 12:00:00'"
    stored = {"status": "priced", "currency": "USD", "source": "discogs", "rating_average": 4.25}
    constants = [PriceSnapshot._meta.get_field(name).get_prep_value(text) for name, text in stored.items()]
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE age(n) AS (SELECT {days} UNION ALL SELECT n - 1 FROM age WHERE n > 0)"
            f" INSERT INTO pricing_pricesnapshot ({', '.join(stored)}, release_id, day, amount_minor,"
            " num_for_sale, want, have, rating_count, duration_ms, observed_at, doubt)"
            f" SELECT %s, %s, %s, %s, release_id, {day},"
            " 1000 + (release_id * 37) %% 4000 + (release_id * (age.n + 1)) %% 300,"
            f" num_for_sale, want, have, 12, 300, {noon}, 0 FROM age CROSS JOIN pricing_releaseprice"
            f" WHERE release_id >= {first} AND release_id < {first + count} ORDER BY age.n DESC",
            constants,
        )


def renew_baselines(today: date) -> None:
    from pricing.daily import baselines

    last: int | None = -1
    while last is not None:
        last = baselines.renew_next(last, today=today)


def days(today: date) -> Iterator[date]:
    return (today - timedelta(days=age) for age in range(VALUE_DAYS, -1, -1))


def value(copies: int, day: date) -> dict[str, Any]:
    cents = copies * (2800 + day.toordinal() % 200)
    counts = {"instances": copies, "priced": copies, "stale": 0, "unpriced": 0}
    return {"currency": "USD", "value_minor": cents, "num_for_sale": 9, "want": 99, **counts}


def timed(username: str, path: str, *, is_cold: bool) -> dict[str, float]:
    """Times of one page in milliseconds, and its number of queries."""
    from django.contrib.auth import get_user_model
    from django.core.cache import caches
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers={"host": "localhost"})
    client.force_login(get_user_model().objects.get(username=username))
    took = []
    for _ in range(REQUESTS + 1):
        if is_cold:
            caches["pages"].clear()
        took.append(one(client, path))
    if is_cold:
        caches["pages"].clear()
    with CaptureQueriesContext(connection) as captured:
        one(client, path)
    later = took[1:]
    p95 = statistics.quantiles(later, n=20)[-1]
    return {"median_ms": statistics.median(later), "p95_ms": p95, "queries": len(captured)}


def one(client: Any, path: str) -> float:
    started = time.perf_counter()
    response = client.get(path)
    took = 1000 * (time.perf_counter() - started)
    assert response.status_code == 200, f"{path} answered {response.status_code}"
    return took


def main(username: str, *, first: int, count: int, history: int) -> dict[str, dict[str, float]]:
    from django.conf import settings
    from django.db import connection
    from django.urls import reverse

    settings.DEBUG = False  # otherwise its query log would be measured too
    seed(username, f"token-of-{username}", first=first, count=count)
    fill(username, first=first, count=count, history=history)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return {
        page: timed(username, reverse(name) + query, is_cold=page in COLD)
        for page, (name, query) in PAGES.items()
    }


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    _, name, start, number, readings = sys.argv
    sys.stdout.write(json.dumps(main(name, first=int(start), count=int(number), history=int(readings))))
