"""The gate: the rate limiter of every request to Discogs, in one database row for each egress address.

A slot is booked in a short transaction that locks the row, by the database's clock; the wait happens outside it.
If that clock is set meanwhile, `clock` moves the times in the row with it.
A process that dies after booking loses one slot, nothing else. Two rules decide when a slot is:

- never more than `limit` slots in `window` plus a margin, which covers requests that reach Discogs late;
- paced: one every `interval`, up to `burst` at once if no slots were taken recently.

Background work books only a moment ahead, so a user waiting at a page gets the very next slot.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from collections_app.discogs import clock
from collections_app.discogs.clock import database_now
from collections_app.discogs.errors import GateClosed
from collections_app.discogs.minutes import add_to_minute
from collections_app.discogs.pace import Ceiling, Pace, slot_after, slots_with
from collections_app.models import ApiGate

PATIENCE = 8.0  # seconds a caller waits for its slot before GateClosed is raised
BOOK_AHEAD = 0.25  # seconds that background work may book into the future
FAULTS_TO_OPEN = 5  # in a row
FAULTS_REMEMBERED = 20  # outcomes; the breaker also opens when half of them are faults
MIN_PAUSE = 1.0  # seconds, for a Retry-After that Discogs names
TIMES = ("slots", "next_paced_at", "paused_until", "open_until", "told_until", "clocks")
FLUSH_AFTER = 1.0  # seconds for which a process collects its successes before it writes them


@dataclass(frozen=True)
class RateHeaders:
    """The rate limit headers of an answer; None for a missing or unusable one."""

    limit: int | None = None
    used: int | None = None


@dataclass(frozen=True)
class GateStatus:
    """What the gate allows now. `reason` is "", "rate_limit" or "breaker"; `is_probing`: a probe is due or sent."""

    limit: int
    window_seconds: float
    left: int
    paused_seconds: float
    reason: str
    is_probing: bool
    latency_ms: float


@dataclass(frozen=True)
class Booking:
    """A slot, or, if not booked, when to ask again and why.

    wait: seconds from the moment the database's clock was read. due: its end by this process's steady clock.
    """

    booked: bool
    wait: float
    due: float
    reason: str = ""


class Gate:
    """The gate of one egress address, as seen by one process."""

    def __init__(
        self,
        egress: str,
        pace: Pace,
        *,
        ceiling: int | None = None,
        database_clock: Callable[[], float] = database_now,
    ) -> None:
        self.egress = egress
        self.pace = pace
        self._clock = database_clock
        lower = ceiling is not None and ceiling < pace.limit
        self._ceiling = Ceiling(Pace(ceiling, pace.window)) if ceiling and lower else None
        self._latencies: list[float] = []
        self._rate_headers = RateHeaders()
        self._flushed_at = 0.0

    def take_slot(self, *, interactive: bool = False, patience: float = PATIENCE) -> None:
        """Wait until a request may be sent.

        Raises GateClosed if that is more than `patience` seconds away; nothing is booked then.
        """
        deadline = time.monotonic() + patience
        self._keep_to_ceiling(patience)
        while True:
            booking = self._book(interactive=interactive)
            if not booking.booked and booking.due > deadline:
                raise GateClosed(booking.wait, booking.reason)
            time.sleep(max(0.0, booking.due - time.monotonic()))
            if booking.booked and time.monotonic() - booking.due <= self.pace.lateness_allowed():
                return

    def _keep_to_ceiling(self, patience: float) -> None:
        if self._ceiling is None:
            return
        wait = self._ceiling.wait()
        if wait > patience:
            raise GateClosed(wait, "ceiling")
        time.sleep(max(0.0, wait))
        self._ceiling.take()

    def record_success(self, latency_seconds: float, rate_headers: RateHeaders = RateHeaders()) -> None:
        """Record an answer that shows Discogs works, whatever its status. Written at most once a second."""
        self._latencies.append(latency_seconds)
        self._rate_headers = rate_headers
        if time.monotonic() - self._flushed_at >= FLUSH_AFTER:
            self._flush()

    def record_fault(self) -> bool:
        """Record a fault. Enough of them open the breaker for all processes. Return whether it is open now."""
        if self._latencies:
            self._flush()
        with transaction.atomic(durable=True):
            row, reading = self._locked()
            row.recent_faults = [*row.recent_faults, 1][-FAULTS_REMEMBERED:]
            row.faults_in_a_row += 1
            row.requests += 1
            often = sum(row.recent_faults) >= FAULTS_REMEMBERED / 2
            if row.breaker == ApiGate.Breaker.HALF_OPEN or row.faults_in_a_row >= FAULTS_TO_OPEN or often:
                self._open(row, reading.now)
            row.save()
        add_to_minute(self.egress, at=timezone.now(), requests=1, faults=1)
        return row.breaker == ApiGate.Breaker.OPEN

    def record_refusal(self, retry_after: float | None) -> float:
        """Pause all processes after a 429. Return for how many seconds."""
        with transaction.atomic(durable=True):
            row, reading = self._locked()
            row.refusals = min(row.refusals + 1, 20)
            row.requests += 1
            # With jitter, so that sites that were refused together do not retry together.
            pause = 60 * self.pace.minute * min(2 ** (row.refusals - 1), 10) * (1 + random.random() / 10)  # noqa: S311
            if retry_after is not None:
                pause = min(max(retry_after, MIN_PAUSE), clock.MAX_RETRY_AFTER)
            row.paused_until = max(row.paused_until, reading.now + pause)
            row.save()
        add_to_minute(self.egress, at=timezone.now(), requests=1, refusals=1)
        return float(pause)

    def row(self) -> ApiGate:
        """The stored row; a new one if there is none."""
        return ApiGate.objects.filter(egress=self.egress).first() or ApiGate(egress=self.egress)

    def status(self, row: ApiGate | None = None) -> GateStatus:
        """Pass a row that was just read to save a query; it is brought up to date."""
        row = row or self.row()
        now = self._bring_up_to_date(row).now
        taken = sum(slot[2] for slot in row.slots if now - self.pace.window < slot[0] <= now)
        return GateStatus(
            limit=self.pace.limit,
            window_seconds=self.pace.window,
            left=max(0, self.pace.limit - int(taken)),
            paused_seconds=self._closed_for(row, now),
            reason=self._reason(row, now),
            is_probing=row.breaker != ApiGate.Breaker.CLOSED
            and row.paused_until <= now
            and (row.breaker == ApiGate.Breaker.HALF_OPEN or row.open_until <= now),
            latency_ms=row.latency_ms,
        )

    def _book(self, *, interactive: bool) -> Booking:
        with transaction.atomic(durable=True):
            row, reading = self._locked()
            now, at = reading.now, reading.at
            if (seconds := self._closed_for(row, now)) > 0:
                return Booking(booked=False, wait=seconds, due=at + seconds, reason=self._reason(row, now))
            pace = self._pace_now(row, now)
            wait = slot_after(row.slots, row.next_paced_at, now, pace) - now
            if not interactive and wait > BOOK_AHEAD:
                again = wait - BOOK_AHEAD / 2
                return Booking(booked=False, wait=again, due=at + again, reason="limit")
            self._give(row, now + wait, now, pace)
        return Booking(booked=True, wait=wait, due=at + wait)

    def _give(self, row: ApiGate, at: float, now: float, pace: Pace) -> None:
        row.slots = slots_with(row.slots, at, now, self.pace)
        row.next_paced_at = max(row.next_paced_at, at) + pace.interval
        if row.breaker != ApiGate.Breaker.CLOSED:
            # The only probe. If its sender dies, another may be sent after this time.
            row.breaker = ApiGate.Breaker.HALF_OPEN
            row.open_until = now + 30 * self.pace.minute
        row.save(update_fields=["slots", "next_paced_at", "breaker", "open_until"])

    @staticmethod
    def _closed_for(row: ApiGate, now: float) -> float:
        """Seconds until the gate opens; 0 if it is open."""
        until = row.paused_until
        if row.breaker != ApiGate.Breaker.CLOSED:
            until = max(until, row.open_until)
        return max(0.0, until - now)

    @staticmethod
    def _reason(row: ApiGate, now: float) -> str:
        if row.breaker != ApiGate.Breaker.CLOSED and row.open_until > now:
            return "breaker"
        return "rate_limit" if row.paused_until > now else ""

    def _open(self, row: ApiGate, now: float) -> None:
        row.breaker = ApiGate.Breaker.OPEN
        row.openings = min(row.openings + 1, 20)
        row.open_until = now + 30 * self.pace.minute * min(2 ** (row.openings - 1), 20)
        row.faults_in_a_row, row.recent_faults = 0, []

    def _pace_now(self, row: ApiGate, now: float) -> Pace:
        told = row.told_until > now
        return self.pace.slowed(
            told_limit=row.told_limit if told else None,
            foreign_use=row.foreign_use if told else 0,
            latency_ms=row.latency_ms,
        )

    def _flush(self) -> None:
        """Write the successes since the last flush: close the breaker, update the averages."""
        latencies, rate_headers = [1000 * seconds for seconds in self._latencies], self._rate_headers
        self._latencies, self._flushed_at = [], time.monotonic()
        average = sum(latencies) / len(latencies)
        with transaction.atomic(durable=True):
            row, reading = self._locked()
            row.recent_faults = [*row.recent_faults, *[0] * len(latencies)][-FAULTS_REMEMBERED:]
            row.faults_in_a_row = row.refusals = row.openings = 0
            row.breaker = ApiGate.Breaker.CLOSED
            row.latency_ms = 0.8 * row.latency_ms + 0.2 * average if row.latency_ms else average
            row.requests += len(latencies)
            self._apply_rate_headers(row, rate_headers, latencies[-1], now=reading.now)
            row.save()
        add_to_minute(
            self.egress,
            at=timezone.now(),
            requests=len(latencies),
            latency_ms_sum=round(sum(latencies)),
            latency_ms_max=round(max(latencies)),
        )

    def _apply_rate_headers(
        self, row: ApiGate, rate_headers: RateHeaders, latency_ms: float, *, now: float
    ) -> None:
        """Slow down for one window if the headers show a lower tier or other clients behind our address."""
        # Discogs counts when a request arrives, so everything we sent until its answer may be in the figure.
        since = now - self.pace.window - latency_ms / 1000
        foreign = (rate_headers.used or 0) - int(sum(slot[2] for slot in row.slots if slot[1] > since))
        told = rate_headers.limit
        lower = told if told is not None and 0 < told < self.pace.limit else None
        # The headers lag by a few requests; the limit itself bounds what is plausible.
        if lower is None and foreign <= max(3, self.pace.limit // 20):
            return
        row.told_limit = lower
        row.foreign_use = max(0, min(foreign, self.pace.limit - 1)) if lower is None else 0
        row.told_until = now + self.pace.window

    def _locked(self) -> tuple[ApiGate, clock.Reading]:
        """The row, locked until the transaction ends (on SQLite BEGIN IMMEDIATE locks the whole database).

        The clocks are read after the row is locked: waiting for the lock must not make a slot late.
        """
        rows = ApiGate.objects.select_for_update()
        row = rows.filter(egress=self.egress).first() or rows.get_or_create(egress=self.egress)[0]
        stored = [getattr(row, name) for name in TIMES]
        reading = self._bring_up_to_date(row)
        if stored != [getattr(row, name) for name in TIMES]:
            row.save(update_fields=TIMES)  # even if nothing is booked: the next call builds on these
        return row, reading

    def _bring_up_to_date(self, row: ApiGate) -> clock.Reading:
        """Move the row's times if the database's clock was set since they were written."""
        reading = clock.read(self._clock)
        row.clocks, step = clock.compare(row.clocks, reading, clock.this_host())
        if step:
            clock.move_times(row, step)
        clock.without_implausible_times(row, reading.now, self.pace)
        return reading


def configured_gate() -> Gate:
    pace = Pace(settings.DISCOGS_RATE_LIMIT, settings.DISCOGS_RATE_WINDOW)
    return Gate(settings.DISCOGS_EGRESS, pace, ceiling=settings.PRICE_WORKER_RATE_LIMIT)


def longest_wait() -> timedelta:
    """The longest wait that the gate, or a failed attempt, may store as a time."""
    return timedelta(seconds=clock.max_wait(configured_gate().pace))


def status() -> GateStatus:
    """What the configured gate allows now."""
    return configured_gate().status()
