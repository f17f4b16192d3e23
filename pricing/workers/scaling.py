"""Decide how many workers the load needs. Pure: the load in, a decision with its reason out.

By Little's law a limit of r requests a second, each taking t seconds, keeps r × t workers busy; one more covers
the time between two jobs. Any further workers only wait for the gate.
"""

from dataclasses import dataclass
from math import ceil

OVERHEAD_SECONDS = 0.02  # of a job besides its request: claim, record, acknowledge
MAX_FAULTS = 0.3  # share of recent requests; above it, the number of workers is reduced
MAX_MEMORY_PERCENT = 90.0
MAX_CPU_PERCENT = 95.0
MAX_STEP = 2  # workers added at a time
PATIENCE_SECONDS = 15.0  # how long fewer workers must be enough before one is stopped
JUDGE_AFTER_SECONDS = 8.0  # how long after a scale-up its effect is judged
HOLD_SECONDS = 60.0  # no scale-up for this long after one that did not help


@dataclass(frozen=True, slots=True)
class Load:
    """The measured load. Shares are 0 to 1, latencies in seconds, rates per second."""

    waiting: int  # jobs due, queued or running
    rate_allowed: float  # requests a second that the gate lets through for this host
    p95_latency: float  # of recent requests
    throughput: float  # jobs finished a second, recently
    fault_share: float  # of recent requests
    cpu_percent: float
    memory_percent: float
    gate_open: bool
    worker_rate: float  # requests a second one worker may send


@dataclass(frozen=True, slots=True)
class ScalingDecision:
    workers: int
    reason: str


@dataclass(slots=True)
class Scaler:
    """Decides at each measurement; keeps when it last scaled up and since when fewer workers would be enough."""

    min_workers: int
    max_workers: int
    _fewer_since: float | None = None
    _scaled_up_at: float | None = None
    _throughput_before: float = 0.0
    _latency_before: float = 0.0
    _held_until: float = 0.0

    def decide(self, workers: int, load: Load, *, at: float) -> ScalingDecision:
        """How many workers there should be; `at` is in seconds of any monotonic clock."""
        if workers < self.min_workers:
            return ScalingDecision(self.min_workers, "the minimum")
        if load.fault_share > MAX_FAULTS and workers > self.min_workers:
            self._hold(at)
            return ScalingDecision(workers - 1, f"{load.fault_share:.0%} of recent requests failed")
        if self._scale_up_did_not_help(load, at=at) and workers > self.min_workers:
            self._hold(at)
            return ScalingDecision(workers - 1, "answers got slower and throughput did not rise")
        needed = self._needed(load)
        if needed > workers:
            return self._scale_up(workers, needed, load, at=at)
        return self._scale_down(workers, needed, at=at)

    def _needed(self, load: Load) -> int:
        if not load.waiting or not load.gate_open:
            return self.min_workers
        busy = load.rate_allowed * (load.p95_latency + OVERHEAD_SECONDS)
        by_ceiling = ceil(load.rate_allowed / load.worker_rate)
        return max(self.min_workers, min(self.max_workers, max(ceil(busy) + 1, by_ceiling), load.waiting))

    def _scale_up(self, workers: int, needed: int, load: Load, *, at: float) -> ScalingDecision:
        self._fewer_since = None
        if at < self._held_until or self._is_judging(at):
            return ScalingDecision(workers, "waiting to see whether more workers help")
        if load.memory_percent > MAX_MEMORY_PERCENT:
            return ScalingDecision(workers, f"memory is at {load.memory_percent:.0f} %")
        # Workers that wait for Discogs need next to no CPU, so other load on the CPU does not matter to them.
        own_share = OVERHEAD_SECONDS / (load.p95_latency + OVERHEAD_SECONDS)
        if load.cpu_percent > MAX_CPU_PERCENT and own_share > 0.02:
            return ScalingDecision(workers, f"the CPU is at {load.cpu_percent:.0f} %")
        self._scaled_up_at = at
        self._throughput_before, self._latency_before = load.throughput, load.p95_latency
        reason = f"{load.rate_allowed:.2f} requests/s at {load.p95_latency:.2f} s each need {needed}"
        return ScalingDecision(min(needed, workers + MAX_STEP), reason)

    def _scale_down(self, workers: int, needed: int, *, at: float) -> ScalingDecision:
        if needed == workers:
            self._fewer_since = None
            return ScalingDecision(workers, "enough")
        self._fewer_since = at if self._fewer_since is None else self._fewer_since
        if at - self._fewer_since < PATIENCE_SECONDS:
            return ScalingDecision(workers, "waiting before stopping a worker")
        return ScalingDecision(workers - 1, f"{needed} are enough")

    def _is_judging(self, at: float) -> bool:
        return self._scaled_up_at is not None and at - self._scaled_up_at < JUDGE_AFTER_SECONDS

    def _scale_up_did_not_help(self, load: Load, *, at: float) -> bool:
        if self._scaled_up_at is None or self._is_judging(at):
            return False
        self._scaled_up_at = None
        slower = load.p95_latency > 1.3 * self._latency_before
        return slower and load.throughput <= 1.05 * self._throughput_before

    def _hold(self, at: float) -> None:
        self._held_until = at + HOLD_SECONDS
        self._scaled_up_at = None
