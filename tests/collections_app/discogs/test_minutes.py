"""The response-time trend: one row for each minute and way out, added to by many processes."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from collections_app.discogs.minutes import add_to_minute
from collections_app.models import ApiMinute

NOON = datetime(2026, 3, 1, 12, 0, 17, 500_000, tzinfo=UTC)


@pytest.mark.django_db
def test_counts_of_one_minute_add_up():
    add_to_minute("default", at=NOON, requests=3, latency_ms_sum=900, latency_ms_max=500)
    add_to_minute(
        "default", at=NOON + timedelta(seconds=40), requests=2, latency_ms_sum=100, latency_ms_max=60
    )
    add_to_minute("default", at=NOON, requests=1, faults=1)
    add_to_minute("default", at=NOON, requests=1, refusals=1)
    row = ApiMinute.objects.get()
    assert row.minute == NOON.replace(second=0, microsecond=0)
    assert (row.requests, row.faults, row.refusals) == (7, 1, 1)
    assert (row.latency_ms_sum, row.latency_ms_max) == (1000, 500)


@pytest.mark.django_db
def test_minutes_and_outcomes_are_kept_apart():
    add_to_minute("default", at=NOON, requests=1)
    add_to_minute("office", at=NOON, requests=1)
    add_to_minute("default", at=NOON + timedelta(minutes=1), requests=1)
    assert ApiMinute.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_simultaneous_first_counts_are_kept():
    starting_line = threading.Barrier(4)

    def work():
        try:
            starting_line.wait()
            for number in range(10):
                at = NOON + timedelta(minutes=number)
                add_to_minute("default", at=at, requests=1, latency_ms_sum=10, latency_ms_max=10)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = ApiMinute.objects.values_list("requests", "latency_ms_sum", "latency_ms_max")
    assert list(rows) == [(4, 40, 10)] * 10
