"""The supervisor: the load that it measures before it scales."""

import pytest

from collections_app.models import ApiGate
from pricing.workers.supervisor import measure_load
from tests import factories as make
from tests.pricing.monitoring.noon import NOON, make_ends, make_job

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("state", "waiting"), [("due", 1), ("queued", 1), ("running", 1), ("waiting", 0), ("recorded", 0)]
)
def test_load_counts_jobs_that_may_proceed(state, waiting):
    make.make_jobs(state)
    assert measure_load(now=NOON).waiting == waiting


def test_load_has_the_gates_latency_without_jobs():
    ApiGate.objects.create(egress="default", latency_ms=400)
    assert measure_load(now=NOON).p95_latency == 0.4
    make_job("recorded", finished_at=NOON, duration_ms=250)
    assert measure_load(now=NOON).p95_latency == 0.25


@pytest.mark.parametrize("jobs", [2, 20])
def test_load_has_a_constant_query_count(jobs, django_assert_max_num_queries):
    make.make_jobs(*["due"] * jobs, "running")
    make_ends(recorded=jobs, dead=1)
    with django_assert_max_num_queries(7):  # on PostgreSQL one asks for its clock
        measure_load(now=NOON)
