from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.workers.scaling import Load, Scaler

CALM = Load(
    waiting=500,
    rate_allowed=1.0,
    p95_latency=0.3,
    throughput=1.0,
    fault_share=0.0,
    cpu_percent=20,
    memory_percent=40,
    gate_open=True,
    worker_rate=1.0,
)


def settle(scaler: Scaler, workers: int, load: Load, *, seconds: int = 300) -> int:
    """Where the number of workers comes to rest under steady load."""
    for at in range(seconds):
        workers = scaler.decide(workers, load, at=float(at)).workers
    return workers


@pytest.mark.parametrize(
    ("load", "workers"),
    [
        (CALM, 2),
        (replace(CALM, p95_latency=4.0), 6),
        (replace(CALM, rate_allowed=10.0, worker_rate=10.0, p95_latency=0.06), 2),
        (replace(CALM, rate_allowed=1000.0, p95_latency=0.05), 12),
        (replace(CALM, worker_rate=0.1), 10),
        (replace(CALM, waiting=0), 1),
        (replace(CALM, p95_latency=4.0, waiting=3), 3),
        (replace(CALM, p95_latency=4.0, gate_open=False), 1),
    ],
    ids=[
        "calm",
        "slow answers",
        "short window",
        "limit lifted",
        "low ceiling",
        "no work",
        "little work",
        "gate closed",
    ],
)
def test_scaler_reaches_what_the_limit_needs(load, workers):
    assert settle(Scaler(min_workers=1, max_workers=12), 1, load) == workers


def test_scaler_grows_if_slow_shrinks_if_quick():
    scaler = Scaler(min_workers=2, max_workers=12)
    grown = settle(scaler, 2, replace(CALM, p95_latency=4.0))
    assert grown == 6
    assert settle(scaler, grown, CALM) == 2


@pytest.mark.parametrize(
    ("change", "word"),
    [({"memory_percent": 95.0}, "memory"), ({"cpu_percent": 99.0}, "CPU")],
)
def test_scaler_adds_none_if_overloaded(change, word):
    quick = replace(CALM, rate_allowed=10.0, worker_rate=10.0, p95_latency=0.5)
    decision = Scaler(min_workers=1, max_workers=12).decide(2, replace(quick, **change), at=0.0)
    assert decision.workers == 2
    assert word in decision.reason


def test_scaler_adds_workers_if_only_cpu_is_busy():
    slow = replace(CALM, p95_latency=4.0, cpu_percent=100.0)
    assert Scaler(min_workers=1, max_workers=12).decide(2, slow, at=0.0).workers == 4


def test_scaler_stops_workers_after_failures():
    decision = Scaler(min_workers=1, max_workers=12).decide(6, replace(CALM, fault_share=0.5), at=0.0)
    assert (decision.workers, decision.reason) == (5, "50% of recent requests failed")


def test_scaler_undoes_what_slowed_answers():
    scaler = Scaler(min_workers=1, max_workers=12)
    slow = replace(CALM, p95_latency=4.0)
    assert scaler.decide(2, slow, at=0.0).workers == 4
    decision = scaler.decide(4, replace(slow, p95_latency=8.0), at=10.0)
    assert decision.workers == 3
    assert "slower" in decision.reason
    assert scaler.decide(3, slow, at=20.0).workers == 3


def test_scaler_waits_before_it_stops_a_worker():
    scaler = Scaler(min_workers=1, max_workers=12)
    assert scaler.decide(6, CALM, at=0.0).workers == 6
    assert scaler.decide(6, CALM, at=16.0).workers == 5


@given(
    st.builds(
        Load,
        waiting=st.integers(0, 10**6),
        rate_allowed=st.floats(0, 10**4),
        p95_latency=st.floats(0, 60),
        throughput=st.floats(0, 10**4),
        fault_share=st.floats(0, 1),
        cpu_percent=st.floats(0, 100),
        memory_percent=st.floats(0, 100),
        gate_open=st.booleans(),
        worker_rate=st.floats(0.01, 10**4),
    ),
    st.integers(2, 9),
)
def test_scaler_stays_within_its_bounds(load, workers):
    scaler = Scaler(min_workers=2, max_workers=9)
    for at in range(0, 100, 5):
        workers = scaler.decide(workers, load, at=float(at)).workers
        assert 2 <= workers <= 9
