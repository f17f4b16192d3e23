"""How often the supervisor works: when it looks for work, how often a step runs, when it is idle."""

import pytest

from pricing.workers.rhythm import IDLE_TICK, TICK, Rhythm, interval, is_look_due


@pytest.mark.parametrize(
    ("is_busy", "has_changed", "looked_ago", "due"),
    [
        # Idle: whenever something was written, and otherwise every few seconds.
        (False, False, 0.25, False),
        (False, False, 4.9, False),
        (False, False, 5.0, True),
        (False, True, 0.0, True),
        (False, True, 0.25, True),
        # Busy: something is written all the time, which says nothing.
        (True, True, 0.1, False),
        (True, False, 0.9, False),
        (True, True, 1.0, True),
        (True, False, 1.0, True),
    ],
)
def test_look_is_due(is_busy, has_changed, looked_ago, due):
    assert is_look_due(is_busy=is_busy, has_changed=has_changed, looked_ago=looked_ago) is due


@pytest.mark.parametrize(
    ("seconds", "busy", "idle"), [(0, 0, 5), (0.5, 0.5, 5), (2, 2, 5), (3, 3, 5), (10, 10, 10), (60, 60, 60)]
)
def test_interval_is_longer_while_idle(seconds, busy, idle):
    assert interval(seconds, is_busy=True) == busy
    assert interval(seconds, is_busy=False) == idle


def test_rhythm_is_idle_after_the_last_work():
    rhythm = Rhythm()
    assert rhythm.pause == TICK
    rhythm.note_look("1", work_waits=True, at=100.0)
    for at, is_busy in [(101.0, True), (102.9, True), (103.0, False), (104.0, False)]:
        rhythm.note_look("1", work_waits=False, at=at)
        assert rhythm.is_busy is is_busy
    assert rhythm.pause == IDLE_TICK


def test_rhythm_is_busy_once_work_is_seen():
    rhythm = Rhythm()
    rhythm.note_look("1", work_waits=False, at=100.0)
    assert not rhythm.is_look_due("1", at=100.25)
    assert rhythm.is_look_due("2", at=100.25)
    rhythm.note_look("2", work_waits=True, at=100.25)
    assert rhythm.pause == TICK


def test_write_without_work_keeps_the_rhythm_idle():
    rhythm = Rhythm()
    rhythm.note_look("1", work_waits=False, at=100.0)
    rhythm.note_look("2", work_waits=False, at=100.25)
    assert rhythm.pause == IDLE_TICK
    assert not rhythm.is_look_due("2", at=100.5)


def test_missed_write_delays_a_look_by_seconds():
    rhythm = Rhythm()
    rhythm.note_look("1", work_waits=False, at=100.0)
    assert not rhythm.is_look_due("1", at=104.75)
    assert rhythm.is_look_due("1", at=105.0)
