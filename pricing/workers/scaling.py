"""How many workers the work needs now. Pure: figures in, a decision with its reason out.

By Little's law a limit of r requests a second, each taking t seconds, keeps r × t workers busy; one more covers
the time between two jobs. More only wait for the gate.
"""

from dataclasses import dataclass
from math import ceil

OVERHEAD_SECONDS = 0.02  # of a job beside its request: claim, record, acknowledge
MAX_FAULTS = 0.3  # share of recent requests; beyond, fewer workers ask
MAX_MEMORY_PERCENT = 90.0
MAX_CPU_PERCENT = 95.0
MAX_STEP = 2  # workers added at a time
PATIENCE_SECONDS = 15.0  # how long fewer must be enough before one is stopped
JUDGE_AFTER_SECONDS = 8.0  # when a growth shows whether it helped
HOLD_SECONDS = 60.0  # no growth after one that did not help


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured. Shares are 0 to 1, latencies in seconds, rates per second."""

    waiting: int  # jobs due, queued or running
    rate_allowed: float  # requests a second that the gate lets through for this host
    p95_latency: float  # of recent requests
    throughput: float  # jobs finished a second, lately
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
    """Decides from one look to the next; remembers its last growth and since when fewer would do."""

    min_workers: int
    max_workers: int
    _fewer_since: float | None = None
    _grown_at: float | None = None
    _throughput_before: float = 0.0
    _latency_before: float = 0.0
    _held_until: float = 0.0

    def decide(self, workers: int, figures: Figures, *, at: float) -> ScalingDecision:
        """How many workers there should be; `at` is in seconds of any steady clock."""
        if workers < self.min_workers:
            return ScalingDecision(self.min_workers, "the minimum")
        if figures.fault_share > MAX_FAULTS and workers > self.min_workers:
            self._hold(at)
            return ScalingDecision(workers - 1, f"{figures.fault_share:.0%} of recent requests failed")
        if self._scale_up_did_not_help(figures, at=at) and workers > self.min_workers:
            self._hold(at)
            return ScalingDecision(workers - 1, "answers got slower and no more of them came")
        needed = self._needed(figures)
        if needed > workers:
            return self._grow(workers, needed, figures, at=at)
        return self._shrink(workers, needed, at=at)

    def _needed(self, figures: Figures) -> int:
        if not figures.waiting or not figures.gate_open:
            return self.min_workers
        busy = figures.rate_allowed * (figures.p95_latency + OVERHEAD_SECONDS)
        by_ceiling = ceil(figures.rate_allowed / figures.worker_rate)
        return max(self.min_workers, min(self.max_workers, max(ceil(busy) + 1, by_ceiling), figures.waiting))

    def _grow(self, workers: int, needed: int, figures: Figures, *, at: float) -> ScalingDecision:
        self._fewer_since = None
        if at < self._held_until or self._is_judging(at):
            return ScalingDecision(workers, "waiting to see whether more would help")
        if figures.memory_percent > MAX_MEMORY_PERCENT:
            return ScalingDecision(workers, f"memory is used to {figures.memory_percent:.0f} %")
        # Workers that wait for Discogs need next to no processor, whoever keeps it busy.
        own_share = OVERHEAD_SECONDS / (figures.p95_latency + OVERHEAD_SECONDS)
        if figures.cpu_percent > MAX_CPU_PERCENT and own_share > 0.02:
            return ScalingDecision(workers, f"the processors are busy to {figures.cpu_percent:.0f} %")
        self._grown_at = at
        self._throughput_before, self._latency_before = figures.throughput, figures.p95_latency
        reason = f"{figures.rate_allowed:.2f}/s at {figures.p95_latency:.2f} s each need {needed}"
        return ScalingDecision(min(needed, workers + MAX_STEP), reason)

    def _shrink(self, workers: int, needed: int, *, at: float) -> ScalingDecision:
        if needed == workers:
            self._fewer_since = None
            return ScalingDecision(workers, "enough")
        self._fewer_since = at if self._fewer_since is None else self._fewer_since
        if at - self._fewer_since < PATIENCE_SECONDS:
            return ScalingDecision(workers, "waiting before stopping one")
        return ScalingDecision(workers - 1, f"{needed} are enough")

    def _is_judging(self, at: float) -> bool:
        return self._grown_at is not None and at - self._grown_at < JUDGE_AFTER_SECONDS

    def _scale_up_did_not_help(self, figures: Figures, *, at: float) -> bool:
        if self._grown_at is None or self._is_judging(at):
            return False
        self._grown_at = None
        slower = figures.p95_latency > 1.3 * self._latency_before
        return slower and figures.throughput <= 1.05 * self._throughput_before

    def _hold(self, at: float) -> None:
        self._held_until = at + HOLD_SECONDS
        self._grown_at = None
