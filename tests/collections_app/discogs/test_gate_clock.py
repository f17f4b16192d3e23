"""A clock that is set back or forward neither opens the gate for a burst nor closes it for as long as the step."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.discogs import clock
from collections_app.discogs.gate import Gate, RateHeaders, database_now
from collections_app.discogs.pace import Pace
from collections_app.models import ApiGate

HOUR = 3600.0
MINUTE = Pace(limit=60, window=60)
STEPS = [-HOUR, HOUR, -86_400.0 * 365, -90.0, 90.0, -1.0, 1.0, -0.3, 0.3]


class DatabaseClock:
    """The database's clock, which can be set."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return database_now() + self.ahead


@pytest.fixture
def database_clock() -> DatabaseClock:
    return DatabaseClock()


@pytest.fixture
def gate(transactional_db, database_clock) -> Gate:
    return Gate("test", Pace(limit=20, window=1), database_clock=database_clock)


def most_within(times: list[float], span: float) -> int:
    return max(sum(1 for other in times if at <= other < at + span) for at in times)


@pytest.mark.parametrize("step", STEPS)
def test_gate_keeps_limit_and_pace_over_a_step(gate, database_clock, step):
    taken = []
    for number in range(50):
        if number == 25:
            database_clock.ahead += step
        # Each request may come from another process, which has never seen the clock before.
        Gate("test", gate.pace, database_clock=database_clock).take_slot(patience=8)
        taken.append(time.monotonic())
    assert most_within(taken, gate.pace.window) <= gate.pace.limit
    assert max(later - earlier for earlier, later in pairwise(taken)) < 1.5


def test_gate_keeps_its_limit_over_many_steps(gate, database_clock):
    taken = []
    for number in range(50):
        database_clock.ahead += (-HOUR, 7.0, -0.4, 1.0)[number % 4]
        gate.take_slot(patience=8)
        taken.append(time.monotonic())
    assert most_within(taken, gate.pace.window) <= gate.pace.limit
    assert taken[-1] - taken[0] < 10


@pytest.mark.parametrize("step", STEPS)
def test_pause_lasts_as_long_over_a_step(gate, database_clock, step):
    gate.record_refusal(retry_after=30)
    database_clock.ahead += step
    assert gate.status().paused_seconds == pytest.approx(30, abs=2)
    assert gate.status().reason == "rate_limit"


@pytest.mark.parametrize("step", STEPS)
def test_breaker_opens_as_long_over_a_step(transactional_db, database_clock, step):
    gate = Gate("test", MINUTE, database_clock=database_clock)
    for _ in range(5):
        gate.record_fault()
    database_clock.ahead += step
    assert gate.status().paused_seconds == pytest.approx(30, abs=2)
    assert gate.status().reason == "breaker"


@pytest.mark.parametrize("step", [-HOUR, HOUR])
def test_headers_slow_for_one_window_over_a_step(transactional_db, database_clock, step):
    gate = Gate("test", MINUTE, database_clock=database_clock)
    gate.take_slot()
    gate.record_success(0.01, RateHeaders(limit=25, used=1))
    database_clock.ahead += step
    gate.take_slot()
    row = ApiGate.objects.get()
    assert row.told_until - database_clock() == pytest.approx(60, abs=2)


# A step that no host has seen: the machine was off, or the row comes from a backup ----------------------


def forget_clocks() -> None:
    ApiGate.objects.update(clocks=[])


@pytest.mark.parametrize("step", [-HOUR, -86_400.0 * 365])
def test_far_slots_neither_burst_nor_freeze(gate, database_clock, step):
    for _ in range(gate.pace.limit):
        gate.take_slot(patience=8)
    database_clock.ahead += step
    forget_clocks()
    taken = []
    for _ in range(gate.pace.limit):
        gate.take_slot(patience=8)
        taken.append(time.monotonic())
    assert taken[0] - time.monotonic() < 1.5
    # As if the last of those before were sent at the moment of the step.
    assert most_within(taken, 0.5) <= gate.pace.limit / 2 + gate.pace.burst


def test_far_slots_count_as_just_sent(transactional_db):
    ahead = database_now() + HOUR
    ApiGate.objects.create(egress="test", slots=[[ahead, ahead, 3]], next_paced_at=ahead)
    gate, started = Gate("test", Pace(limit=20, window=20)), time.monotonic()
    for _ in range(2):
        gate.take_slot(patience=8)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("fields", "closed_for"),
    [
        ({"paused_until": 890}, 890),
        ({"paused_until": 920}, 0),
        ({"breaker": "open", "open_until": 590}, 590),
        ({"breaker": "open", "open_until": 620}, 0),
        ({"breaker": "half_open", "open_until": 620}, 0),
    ],
)
def test_impossible_times_count_as_past(transactional_db, fields, closed_for):
    times = {
        name: database_now() + value if isinstance(value, int) else value for name, value in fields.items()
    }
    ApiGate.objects.create(egress="test", **times)
    assert Gate("test", MINUTE).status().paused_seconds == pytest.approx(closed_for, abs=2)


def test_future_headers_do_not_slow_for_long(transactional_db):
    ApiGate.objects.create(egress="test", told_limit=1, told_until=database_now() + HOUR)
    gate = Gate("test", MINUTE)
    gate.take_slot()
    gate.take_slot(patience=0)


def test_future_pace_does_not_delay_a_slot(transactional_db):
    ApiGate.objects.create(egress="test", next_paced_at=database_now() + HOUR)
    started = time.monotonic()
    Gate("test", Pace(limit=20, window=1)).take_slot(patience=8)
    assert time.monotonic() - started < 3


# What the row remembers of clocks ----------------------------------------------------------------------


def reading(now: float, steady: float, error: float = 0.0) -> clock.Reading:
    return clock.Reading(now=now, at=0.0, steady=steady, error=error)


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["one", "two", "three"]),
            st.floats(0, 100),
            st.sampled_from([0.0, 0.0, 1.0, -1.0, 3600.0, -3600.0]),
        ),
        max_size=30,
    )
)
def test_compare_finds_each_step_once_per_host(steps):
    began = {"one": 10.0, "two": 50_000.0, "three": 7.0}
    remembered: clock.Clocks = []
    for host, steady in began.items():
        remembered, _ = clock.compare(remembered, reading(1e9, steady), host)
    passed = set_by = found = 0.0
    for host, seconds, step in steps:
        passed, set_by = passed + seconds, set_by + step
        remembered, noticed = clock.compare(
            remembered, reading(1e9 + passed + set_by, began[host] + passed), host
        )
        found += noticed
        assert found == pytest.approx(set_by, abs=0.2)


def test_compare_ignores_a_slow_answer():
    remembered, _ = clock.compare([], reading(1000.0, 10.0, error=0.001), "host")
    _, step = clock.compare(remembered, reading(1001.5, 12.0, error=1.0), "host")
    assert step == 0.0


def test_compare_ignores_drift():
    remembered, total = [], 0.0
    for minute in range(600):
        steady = 10.0 + 60 * minute
        remembered, step = clock.compare(remembered, reading(1e9 + steady * 1.0002, steady), "host")
        total += step
    assert total == 0.0


def test_compare_remembers_few_hosts():
    remembered: clock.Clocks = []
    for number in range(50):
        remembered, _ = clock.compare(remembered, reading(1000.0, float(number)), f"host {number}")
    assert [entry[0] for entry in remembered] == [f"host {number}" for number in range(34, 50)]


def test_processes_of_one_machine_are_one_host():
    assert clock.this_host() == clock.this_host.__wrapped__()
