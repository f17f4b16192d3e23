import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.discogs.errors import GateClosed
from collections_app.discogs.gate import Gate, RateHeaders, database_now
from collections_app.discogs.pace import Pace, slot_after, slots_with
from collections_app.models import ApiGate

MINUTE = Pace(limit=60, window=60)


def slots_for(arrivals: list[float], pace: Pace) -> list[float]:
    """When requests asked for at these times would go."""
    slots: list[list[float]] = []
    given_out: list[float] = []
    next_paced_at = 0.0
    for now in sorted(arrivals):
        at = slot_after(slots, next_paced_at, now, pace)
        slots = slots_with(slots, at, now, pace)
        next_paced_at = max(next_paced_at, at) + pace.interval
        given_out.append(at)
    return given_out


def most_within(times: list[float], span: float) -> int:
    return max(sum(1 for other in times if time <= other < time + span) for time in times)


@given(
    arrivals=st.lists(st.floats(0, 600), min_size=1, max_size=300),
    limit=st.integers(1, 90),
    window=st.sampled_from([0.5, 6.0, 60.0]),
)
def test_window_never_exceeds_the_limit(arrivals, limit, window):
    pace = Pace(limit=limit, window=window)
    slots = slots_for([1000 + arrival for arrival in arrivals], pace)
    assert most_within(slots, window) <= limit


@given(arrivals=st.lists(st.floats(0, 100), min_size=1, max_size=200))
def test_slots_are_ordered_and_never_past(arrivals):
    times = sorted(1000 + arrival for arrival in arrivals)
    slots = slots_for(times, MINUTE)
    assert slots == sorted(slots)
    assert all(slot >= asked for slot, asked in zip(slots, times, strict=True))


def test_steady_demand_uses_nearly_all_the_limit():
    slots = slots_for([1000.0] * 600, MINUTE)
    seconds = slots[-1] - slots[0]
    assert 600 / seconds * 60 >= 0.97 * 60


def test_empty_window_allows_a_short_burst():
    slots = slots_for([1000.0] * 20, MINUTE)
    assert slots[: MINUTE.burst] == [1000.0] * MINUTE.burst
    gaps = [
        later - earlier
        for earlier, later in zip(slots[MINUTE.burst :], slots[MINUTE.burst + 1 :], strict=False)
    ]
    assert min(gaps) == pytest.approx(MINUTE.interval)


def test_high_limit_keeps_the_row_small():
    pace = Pace(limit=6000, window=6)
    slots: list[list[float]] = []
    for number in range(6000):
        slots = slots_with(slots, 1000 + number / 1000, 1000 + number / 1000, pace)
    assert len(slots) <= 250
    assert sum(slot[2] for slot in slots) == 6000


@pytest.fixture
def gate(transactional_db) -> Gate:
    return Gate("test", Pace(limit=20, window=1))


def test_parallel_callers_share_one_limit(gate):
    taken: list[float] = []

    def work() -> None:
        mine = Gate("test", gate.pace)
        for _ in range(15):
            mine.take_slot(patience=30)
            taken.append(time.monotonic())

    run_in_threads(work, count=4)
    assert len(taken) == 60
    assert most_within(sorted(taken), gate.pace.window) <= gate.pace.limit


def run_in_threads(work, *, count: int) -> None:
    from django.db import connection

    def closing() -> None:
        try:
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=closing) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_refusal_pauses_all_and_names_the_wait(gate):
    gate.record_refusal(retry_after=7)
    with pytest.raises(GateClosed) as closed:
        Gate("test", gate.pace).take_slot(patience=1)
    assert closed.value.reason == "rate_limit"
    assert 6 < closed.value.wait_seconds <= 7
    assert gate.status().reason == "rate_limit"


@pytest.mark.parametrize(
    ("named", "pause"), [(0, 1), (7, 7), (10**9, 900)], ids=["too short", "as named", "too long"]
)
def test_named_pause_is_clamped(gate, named, pause):
    assert gate.record_refusal(retry_after=named) == pause


def test_refusals_double_the_pause_to_ten_minutes(transactional_db):
    minute_gate = Gate("test", MINUTE)
    for seconds in (60, 120, 240, 480, 600, 600):
        assert seconds <= minute_gate.record_refusal(None) <= 1.1 * seconds


def test_five_faults_open_the_breaker(gate):
    assert [gate.record_fault() for _ in range(5)] == [False] * 4 + [True]
    with pytest.raises(GateClosed, match="breaker"):
        gate.take_slot(patience=0)


def test_success_between_faults_keeps_it_closed(gate):
    for _ in range(4):
        gate.record_fault()
    gate.record_success(0.1)
    assert gate.record_fault() is False


def test_open_breaker_allows_one_probe(gate):
    for _ in range(5):
        gate.record_fault()
    assert gate.status().is_probing is False
    ApiGate.objects.update(open_until=database_now() - 1)
    assert gate.status().is_probing is True
    gate.take_slot()
    assert gate.status().is_probing is True
    with pytest.raises(GateClosed, match="breaker"):
        gate.take_slot(patience=0)
    gate.record_success(0.1)
    assert gate.status().is_probing is False


def test_refused_probe_is_no_longer_under_way(gate):
    for _ in range(5):
        gate.record_fault()
    ApiGate.objects.update(open_until=database_now() - 1)
    gate.take_slot()
    gate.record_refusal(20)
    assert gate.status().is_probing is False
    assert gate.status().paused_seconds > 15


def test_probe_closes_breaker_or_doubles_the_wait(transactional_db):
    gate = Gate("test", MINUTE)
    for _ in range(5):
        gate.record_fault()
    ApiGate.objects.update(open_until=database_now() - 1)
    gate.take_slot()
    assert gate.record_fault() is True
    assert 55 < gate.status().paused_seconds <= 60
    ApiGate.objects.update(open_until=database_now() - 1)
    gate.take_slot()
    gate.record_success(0.1)
    assert gate.status().reason == ""


def test_waiting_user_goes_before_background(transactional_db):
    gate = Gate("test", Pace(limit=20, window=10))
    for _ in range(gate.pace.burst):
        gate.take_slot()
    with pytest.raises(GateClosed):
        gate.take_slot(patience=0)  # the background may not book that far ahead
    gate.take_slot(interactive=True, patience=0)


def test_others_on_our_address_reduce_our_limit(transactional_db):
    gate = Gate("test", Pace(limit=20, window=1))
    gate.take_slot()
    gate.record_success(0.01, RateHeaders(limit=20, used=15))
    slots = []
    for _ in range(12):
        gate.take_slot(patience=5)
        slots.append(time.monotonic())
    assert len([slot for slot in slots if slot < slots[0] + 0.8]) <= 6


def test_own_requests_in_flight_are_not_others(transactional_db):
    gate = Gate("test", Pace(limit=20, window=1))
    for _ in range(10):
        gate.take_slot(patience=5)
    gate.record_success(2.0, RateHeaders(limit=20, used=10))
    assert ApiGate.objects.get().told_until == 0


def test_lower_limit_in_headers_is_kept(transactional_db):
    gate = Gate("test", Pace(limit=60, window=60))
    gate.take_slot()
    gate.record_success(0.01, RateHeaders(limit=25, used=1))
    row = ApiGate.objects.get()
    assert (row.told_limit, row.foreign_use) == (25, 0)
    assert row.told_until > database_now()


def test_own_ceiling_slows_one_process_only(transactional_db):
    pace = Pace(limit=100, window=1)
    slow = Gate("test", pace, ceiling=10)
    started = time.monotonic()
    for _ in range(12):
        slow.take_slot(patience=5)
    took = time.monotonic() - started
    Gate("test", pace).take_slot(patience=0)
    assert took >= 1.0


def test_ceiling_beyond_patience_is_refused(transactional_db):
    gate = Gate("test", Pace(limit=60, window=60), ceiling=1)
    gate.take_slot()
    with pytest.raises(GateClosed, match="ceiling"):
        gate.take_slot()
