"""The one gate: every request to Discogs takes a slot here, in one database row for each egress address.

A slot is booked in a short transaction that locks the row, by the database's clock; the wait happens outside it.
Whoever dies after booking loses one slot, nothing else. Two rules decide when a slot is:

- never more than `limit` slots in `window` plus a margin, which covers requests that reach Discogs late;
- paced: one every `interval`, up to `burst` at once when the last ones were long ago.

The background books a moment ahead only, so someone waiting at a page takes the very next slot.
"""

import time
from dataclasses import dataclass
from functools import cached_property

from django.conf import settings
from django.db import connection, transaction

from collections_app.discogs.errors import GateClosed
from collections_app.models import ApiGate

PATIENCE = 8.0  # seconds a caller waits for its slot before it is sent away
BOOK_AHEAD = 0.25  # seconds the background may book into the future
FAULTS_TO_OPEN = 5  # in a row
FAULTS_REMEMBERED = 20  # of which half open the breaker too
LEAST_PAUSE, MOST_RETRY_AFTER = 1.0, 900.0  # seconds, for a Retry-After that Discogs names
FLUSH_AFTER = 1.0  # seconds a process keeps its successes to itself


@dataclass(frozen=True)
class Pace:
    """The arithmetic of a limit. Times in seconds."""

    limit: int
    window: float

    @cached_property
    def span(self) -> float:
        """The window with its margin: 61 s for a minute, measured to give no refusal with 0.6 s of jitter."""
        return self.window + max(self.window / 60, min(0.3, self.window / 20))

    @cached_property
    def interval(self) -> float:
        return self.span / self.limit

    @cached_property
    def burst(self) -> int:
        return max(1, self.limit // 10)

    @cached_property
    def minute(self) -> float:
        """How long a minute of the engine's rules lasts when a shorter window stands for one."""
        return self.window / 60

    def lateness_allowed(self) -> float:
        """A request sent later than this after its slot could meet others at Discogs: it books anew."""
        return (self.span - self.window) / 2


Slots = list[list[float]]  # [first, last, count], oldest first


def slot_after(slots: Slots, next_paced_at: float, now: float, pace: Pace) -> float:
    """When the next request may go. Pure."""
    at = max(now, next_paced_at - (pace.burst - 1) * pace.interval)
    if slots:
        at = max(at, slots[-1][1])
    within = [slot for slot in slots if slot[1] > at - pace.span]
    taken = sum(slot[2] for slot in within)
    for _first, last, count in within:
        if taken < pace.limit:
            break
        at = max(at, last + pace.span)
        taken -= count
    return at


def slots_with(slots: Slots, at: float, now: float, pace: Pace) -> Slots:
    """The slots still within the window and the new one. Near ones are merged into the later: never too few. Pure."""
    kept = [slot for slot in slots if slot[1] > now - pace.span]
    if kept and at - kept[-1][0] < pace.span / 120:
        first, _last, count = kept[-1]
        return [*kept[:-1], [first, at, count + 1]]
    return [*kept, [at, at, 1]]


@dataclass(frozen=True)
class GateStatus:
    """What the gate allows now. `reason` is "", "rate_limit" or "breaker"."""

    limit: int
    window_seconds: float
    left: int
    paused_seconds: float
    reason: str
    latency_ms: float


@dataclass(frozen=True)
class Booking:
    """A slot in `wait` seconds, or (not booked) the time after which to ask again, with the reason."""

    booked: bool
    wait: float
    reason: str = ""


class Gate:
    """The gate of one egress address, as seen by one process."""

    def __init__(self, egress: str, pace: Pace) -> None:
        self.egress = egress
        self.pace = pace
        self._successes = 0
        self._latency_sum = 0.0
        self._flushed_at = 0.0

    def take_slot(self, *, interactive: bool = False, patience: float = PATIENCE) -> None:
        """Return when a request may be sent now.

        Raises GateClosed when that is more than `patience` seconds away; nothing is booked then.
        """
        deadline = time.monotonic() + patience
        while True:
            asked = time.monotonic()
            booking = self._book(interactive=interactive)
            due = asked + booking.wait
            if not booking.booked and due > deadline:
                raise GateClosed(booking.wait, booking.reason)
            time.sleep(max(0.0, due - time.monotonic()))
            if booking.booked and time.monotonic() - due <= self.pace.lateness_allowed():
                return

    def record_success(self, latency_seconds: float) -> None:
        """Note an answer that says Discogs is well, whatever its status. Written at most once a second."""
        self._successes += 1
        self._latency_sum += latency_seconds
        if time.monotonic() - self._flushed_at >= FLUSH_AFTER:
            self._flush()

    def record_fault(self) -> bool:
        """Note a fault. Enough of them open the breaker for everyone; returns whether it is open now."""
        if self._successes:
            self._flush()
        with transaction.atomic(durable=True):
            row = self._locked()
            row.recent_faults = [*row.recent_faults, 1][-FAULTS_REMEMBERED:]
            row.faults_in_a_row += 1
            row.requests += 1
            often = sum(row.recent_faults) >= FAULTS_REMEMBERED / 2
            if row.breaker == ApiGate.Breaker.HALF_OPEN or row.faults_in_a_row >= FAULTS_TO_OPEN or often:
                self._open(row)
            row.save()
        return row.breaker == ApiGate.Breaker.OPEN

    def record_refusal(self, retry_after: float | None) -> float:
        """Pause everyone after a 429; returns for how many seconds."""
        with transaction.atomic(durable=True):
            row = self._locked()
            row.refusals = min(row.refusals + 1, 20)
            row.requests += 1
            pause = 60 * self.pace.minute * min(2 ** (row.refusals - 1), 10)
            if retry_after is not None:
                pause = min(max(retry_after, LEAST_PAUSE), MOST_RETRY_AFTER)
            row.paused_until = max(row.paused_until, database_now() + pause)
            row.save()
        return float(pause)

    def status(self) -> GateStatus:
        row = ApiGate.objects.filter(egress=self.egress).first() or ApiGate(egress=self.egress)
        now = database_now()
        taken = sum(slot[2] for slot in row.slots if now - self.pace.window < slot[0] <= now)
        closed = self._closed(row, now)
        return GateStatus(
            limit=self.pace.limit,
            window_seconds=self.pace.window,
            left=max(0, self.pace.limit - int(taken)),
            paused_seconds=closed.wait if closed else 0.0,
            reason=closed.reason if closed else "",
            latency_ms=row.latency_ms,
        )

    def _book(self, *, interactive: bool) -> Booking:
        with transaction.atomic(durable=True):
            row = self._locked()
            now = database_now()
            if closed := self._closed(row, now):
                return closed
            at = slot_after(row.slots, row.next_paced_at, now, self.pace)
            if not interactive and at - now > BOOK_AHEAD:
                return Booking(booked=False, wait=at - now - BOOK_AHEAD / 2, reason="limit")
            row.slots = slots_with(row.slots, at, now, self.pace)
            row.next_paced_at = max(row.next_paced_at, at) + self.pace.interval
            if row.breaker != ApiGate.Breaker.CLOSED:
                # The one probe. Should its sender die, the next one may try after this time.
                row.breaker = ApiGate.Breaker.HALF_OPEN
                row.open_until = now + 30 * self.pace.minute
            row.save(update_fields=["slots", "next_paced_at", "breaker", "open_until"])
        return Booking(booked=True, wait=at - now)

    @staticmethod
    def _closed(row: ApiGate, now: float) -> Booking | None:
        if row.breaker != ApiGate.Breaker.CLOSED and row.open_until > now:
            return Booking(booked=False, wait=row.open_until - now, reason="breaker")
        if row.paused_until > now:
            return Booking(booked=False, wait=row.paused_until - now, reason="rate_limit")
        return None

    def _open(self, row: ApiGate) -> None:
        row.breaker = ApiGate.Breaker.OPEN
        row.openings = min(row.openings + 1, 20)
        row.open_until = database_now() + 30 * self.pace.minute * min(2 ** (row.openings - 1), 20)
        row.faults_in_a_row = 0
        row.recent_faults = []

    def _flush(self) -> None:
        count, latency_ms = self._successes, 1000 * self._latency_sum / self._successes
        self._successes, self._latency_sum, self._flushed_at = 0, 0.0, time.monotonic()
        with transaction.atomic(durable=True):
            row = self._locked()
            row.recent_faults = [*row.recent_faults, *[0] * count][-FAULTS_REMEMBERED:]
            row.faults_in_a_row = row.refusals = row.openings = 0
            row.breaker = ApiGate.Breaker.CLOSED
            row.latency_ms = 0.8 * row.latency_ms + 0.2 * latency_ms if row.latency_ms else latency_ms
            row.requests += count
            row.save()

    def _locked(self) -> ApiGate:
        """The row, locked until the transaction ends (on SQLite the whole database is, by BEGIN IMMEDIATE)."""
        rows = ApiGate.objects.select_for_update()
        return rows.filter(egress=self.egress).first() or rows.get_or_create(egress=self.egress)[0]


def configured_gate() -> Gate:
    return Gate(settings.DISCOGS_EGRESS, Pace(settings.DISCOGS_RATE_LIMIT, settings.DISCOGS_RATE_WINDOW))


def status() -> GateStatus:
    """What the configured gate allows now."""
    return configured_gate().status()


def database_now() -> float:
    """Epoch seconds by the database's clock, which all hosts share."""
    sql = (
        "SELECT extract(epoch FROM clock_timestamp())"
        if connection.vendor == "postgresql"
        else "SELECT (julianday('now') - 2440587.5) * 86400.0"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return float(cursor.fetchone()[0])
