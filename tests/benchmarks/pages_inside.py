"""`python -m tests.benchmarks.pages_inside USERNAME FIRST COUNT`: make a user, request their pages, print times."""

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
PAGES = ("dashboard", "collection")
HISTORY_DAYS = 3 * 365
# The ages of a release's readings, in days: those used for the changes over a range, and older ones.
AGES = (0, 1, 7, 14, 30, 60, 90, 180, 365, 730)
BATCH = 2000


def fill(username: str, *, first: int, count: int) -> None:
    """Prices and readings for every release, and a value for every day of three years."""
    from django.contrib.auth import get_user_model

    from pricing.models import CollectionValue, PriceSnapshot, ReleasePrice

    user = get_user_model().objects.get(username=username)
    now = timezone.now()
    prices = (
        ReleasePrice(release_id=n, observed_at=now, status_since=now, **reading(n, 0))
        for n in range(first, first + count)
    )
    ReleasePrice.objects.bulk_create(prices, batch_size=BATCH)
    snapshots = (
        PriceSnapshot(release_id=n, day=now.date() - timedelta(days=age), observed_at=now, **reading(n, age))
        for n in range(first, first + count)
        for age in AGES
    )
    PriceSnapshot.objects.bulk_create(snapshots, batch_size=BATCH)
    values = [CollectionValue(user=user, day=day, **value(count, day)) for day in days(now.date())]
    CollectionValue.objects.bulk_create(values, batch_size=BATCH)


def days(today: date) -> Iterator[date]:
    return (today - timedelta(days=age) for age in range(HISTORY_DAYS, -1, -1))


def reading(release: int, age: int) -> dict[str, Any]:
    amount = 1000 + (release * 37) % 4000 + (release * (age + 1)) % 300
    return {
        "status": "priced", "currency": "USD", "amount_minor": amount,
        "num_for_sale": release % 20 + 1, "want": release % 500, "have": release % 900,
    }  # fmt: skip


def value(copies: int, day: date) -> dict[str, Any]:
    cents = copies * (2800 + day.toordinal() % 200)
    counts = {"instances": copies, "priced": copies, "stale": 0, "unpriced": 0}
    return {"currency": "USD", "value_minor": cents, "num_for_sale": 9, "want": 99, **counts}


def timed(username: str, path: str) -> dict[str, float]:
    """Times of one page in milliseconds, and its number of queries when everything cacheable is cached."""
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers={"host": "localhost"})
    client.force_login(get_user_model().objects.get(username=username))
    took = [one(client, path) for _ in range(REQUESTS + 1)]
    with CaptureQueriesContext(connection) as captured:
        one(client, path)
    first, *later = took
    p95 = statistics.quantiles(later, n=20)[-1]
    return {
        "first_ms": first, "median_ms": statistics.median(later), "p95_ms": p95, "queries": len(captured),
    }  # fmt: skip


def one(client: Any, path: str) -> float:
    started = time.perf_counter()
    response = client.get(path)
    took = 1000 * (time.perf_counter() - started)
    assert response.status_code == 200, f"{path} answered {response.status_code}"
    return took


def main(username: str, *, first: int, count: int) -> dict[str, dict[str, float]]:
    from django.conf import settings
    from django.db import connection
    from django.urls import reverse

    settings.DEBUG = False  # otherwise its query log would be measured too
    seed(username, f"token-of-{username}", first=first, count=count)
    fill(username, first=first, count=count)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return {page: timed(username, reverse(page)) for page in PAGES}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    _, name, start, number = sys.argv
    sys.stdout.write(json.dumps(main(name, first=int(start), count=int(number))))
