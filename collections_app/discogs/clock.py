"""The clock of the gate's row: detect that the database's clock was set, and move the row's times by the same step.

The times in the row are epoch seconds of the database's clock. Every host also has a steady clock, which is never set.
The row stores the difference of the two for each host. If that difference changes, the database's clock was set by the
change, and all times of the row are moved by it. On SQLite the database's clock is the machine's.

A step that no host saw, such as a wrong clock while the machine was off, is caught by `without_implausible_times`: a
time further ahead than its own rule allows counts as past.
"""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import uuid4

from django.db import connection

from collections_app.discogs.pace import Pace
from collections_app.models import ApiGate

Clocks = list[list[str | float]]  # [host, offset, error, steady], see Reading

MIN_STEP = 0.05  # seconds; less is noise
MAX_DRIFT = 500e-6  # seconds per second: the fastest that NTP lets a clock run ahead or behind
REFRESH_AFTER = (
    60.0  # seconds after which a stored difference is replaced, so that drift never looks like a step
)
MAX_HOSTS = 16  # stored in the row; a web server, its workers and commands on one machine are one host
MAX_RETRY_AFTER = 900.0  # seconds, for a Retry-After that Discogs names
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Reading:
    """Both clocks at one moment.

    now: epoch seconds of the database. at: the same moment by `time.monotonic`. steady: by the host's steady clock.
    error: the uncertainty of `steady`, because the database took time to answer.
    """

    now: float
    at: float
    steady: float
    error: float

    @property
    def offset(self) -> float:
        return self.now - self.steady


def read(clock: Callable[[], float]) -> Reading:
    before = _steady()
    now = clock()
    after, at = _steady(), time.monotonic()
    return Reading(now=now, at=at, steady=(before + after) / 2, error=(after - before) / 2)


def database_now() -> float:
    """Epoch seconds by the database's clock, which all hosts share."""
    if connection.vendor != "postgresql":
        return time.time()  # SQLite runs inside this process
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        return float(cursor.fetchone()[0])


def _steady() -> float:
    """Seconds by a clock that is never set. On Linux all processes share it, and it runs during suspend."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@cache
def this_host() -> str:
    """The name of the steady clock: one for each boot of a machine, or for each process if the boot is unknown."""
    try:
        return f"{socket.gethostname()}/{BOOT_ID.read_text().strip()}"[:100]
    except OSError:
        return str(uuid4())


def compare(clocks: Clocks, reading: Reading, host: str) -> tuple[Clocks, float]:
    """The differences to store, and the seconds by which the database's clock was set since the last call. Pure."""
    ours: list[str | float] = [host, reading.offset, reading.error, reading.steady]
    known = next((entry for entry in clocks if entry[0] == host), None)
    others = [entry for entry in clocks if entry[0] != host]
    if known is None:
        return [*others[-(MAX_HOSTS - 1) :], ours], 0.0
    offset, error, steady = (float(value) for value in known[1:])
    step, age = reading.offset - offset, abs(reading.steady - steady)
    if abs(step) > MIN_STEP + error + reading.error + MAX_DRIFT * age:
        # Other hosts will see the same change; move their differences, so that it is not a second step for them.
        moved = [[name, float(was) + step, *rest] for name, was, *rest in others]
        return [*moved, ours], step
    keep = reading.error > error / 2 and age < REFRESH_AFTER
    return [*others, known if keep else ours], 0.0


def move_times(row: ApiGate, seconds: float) -> None:
    """Move all times of the row by the seconds the clock was set, so that they mean the same moments."""
    row.slots = [[first + seconds, last + seconds, count] for first, last, count in row.slots]
    row.next_paced_at += seconds
    row.paused_until += seconds
    row.open_until += seconds
    row.told_until += seconds


def without_implausible_times(row: ApiGate, now: float, pace: Pace) -> None:
    """Replace each time that lies further ahead than its own rule allows, so that it counts as past."""
    newest = row.slots[-1][1] if row.slots else now
    if newest > now + 2 * pace.span:
        # As if the last request were sent now: the intervals are known, so this allows no burst and needs no wait.
        row.slots = [[first - newest + now, last - newest + now, count] for first, last, count in row.slots]
        row.next_paced_at += now - newest
        newest = now
    row.next_paced_at = _unless_beyond(max(newest, now) + pace.span, row.next_paced_at, now)
    row.paused_until = _unless_beyond(now + max_pause(pace), row.paused_until, now)
    row.open_until = _unless_beyond(now + max_opening(pace), row.open_until, now)
    row.told_until = _unless_beyond(now + pace.window, row.told_until, now)


def _unless_beyond(furthest: float, moment: float, now: float) -> float:
    # One second of tolerance for hosts that compare the row with their own clock.
    return moment if moment <= furthest + 1 else now


def max_pause(pace: Pace) -> float:
    """Seconds of the longest pause: one that Discogs names, or ten minutes with jitter."""
    return max(MAX_RETRY_AFTER, 660 * pace.minute)


def max_opening(pace: Pace) -> float:
    """Seconds of the breaker's longest opening."""
    return 600 * pace.minute


def max_wait(pace: Pace) -> float:
    """Upper bound, in seconds, of the time until the gate lets a request through, as far as known now."""
    return max(max_pause(pace), max_opening(pace), pace.span)
