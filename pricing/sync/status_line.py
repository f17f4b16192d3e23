"""The sentence about a sync that every page and command shows: what it does, why it waits, or how it ended. Pure.

At most one thing decides when a sync goes on. As long as that is not the limit alone, no time is estimated.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from pricing.money.format import duration, number

IMPORTING, RUNNING, PAUSED = "importing", "running", "paused"
NEEDS_RECONNECT = ("reconnect_needed", "unreadable")
TO_CONTINUE = {
    "": "Connect Discogs to continue.",
    "active": "Start another sync to continue.",
    "reconnect_needed": "Reconnect to continue.",
    "unreadable": "Reconnect to continue, or wait until the operator has restored the key.",
    "private": "Make your collection public at Discogs, then check again.",
    "gone": "Check again if the account exists again.",
}


class Kind(StrEnum):
    """What decides: the sync itself, something else, or its owner."""

    WORKING = "working"
    WAITING = "waiting"
    OWNER = "owner"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class StatusLine:
    """`short` is for the header, behind or instead of the figures."""

    kind: Kind
    text: str
    short: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the sentence is made of. Counts are releases; `read` and `expected` are copies, or wants in that stage."""

    state: str  # of the run
    connection: str = "active"  # its state; "" without one
    locale: str = "en"
    seconds: float = 0.0  # since the run started, or from start to end
    total: int = 0
    done: int = 0
    failed: int = 0
    cancelled: int = 0
    remaining: int = 0
    waiting: int = 0  # for a later attempt
    retry_in: float = 0.0  # seconds until the first of those
    at_work: int = 0  # in the queue or with a worker
    others_ahead: int = 0  # jobs of other syncs that are in the queue or with a worker
    seconds_left: float = 0.0  # at the rate limit
    ends_at: str = ""  # the time of day after `seconds_left`
    stage: str = ""  # of the import pass
    is_read: bool = False  # the import pass is complete
    read: int = 0
    expected: int = 0
    unread: int = 0  # copies that could not be read
    import_error: str = ""  # of the last attempt; a sentence
    pause_seconds: float = 0.0  # until the gate opens
    is_outage: bool = False  # the breaker is open
    is_probing: bool = False  # and its probe is due or was sent
    workers_run: bool = True


def status_line(facts: Facts) -> StatusLine:
    """The sentence for these facts. Of several reasons to wait, it names the one that must end first."""
    if facts.state not in (IMPORTING, RUNNING, PAUSED):
        return _ended(facts)
    if facts.connection in NEEDS_RECONNECT:
        text = "This site cannot use your connection to Discogs. Reconnect to continue."
        return StatusLine(Kind.OWNER, text, "reconnect")
    if facts.state == PAUSED:
        return _paused(facts)
    if not facts.workers_run:
        text = "No workers are running on this site. The sync continues by itself when the operator has started them."
        return StatusLine(Kind.WAITING, text, "no workers are running")
    if facts.pause_seconds > 0 or facts.is_probing:
        return _shut(facts)
    return _importing(facts) if facts.state == IMPORTING else _running(facts)


def _ended(facts: Facts) -> StatusLine:
    took = duration(facts.seconds, facts.locale)
    if facts.state == "cancelled":
        text = f"Cancelled after {took}{_left_out(facts)}. Prices fetched so far are kept."
    elif facts.state == "failed":
        kept = f"{_left_out(facts)}. Prices fetched so far are kept."
        text = f"Failed after {took}{kept} {TO_CONTINUE[facts.connection]}"
    elif not facts.total and facts.unread:
        text = f"Finished in {took}. No copy in your collection could be read, so nothing was priced."
    elif not facts.total:
        text = f"Finished in {took}. Your collection on Discogs is empty. There is nothing to price."
    else:
        text = f"Finished in {took}{_shortfall(facts)}."
    return StatusLine(Kind.ENDED, text, facts.state)


def _shortfall(facts: Facts) -> str:
    """What a finished run has not fetched. It has cancelled releases if it was cancelled, and later retried."""
    failed = f"{_releases(facts.failed, facts)} failed" if facts.failed else ""
    were = "was" if facts.cancelled == 1 else "were"
    left_out = f"{_releases(facts.cancelled, facts)} {were} cancelled before" if facts.cancelled else ""
    return "".join(f"; {part}" for part in (failed, left_out) if part)


def _left_out(facts: Facts) -> str:
    """The releases of a run that has ended early, each counted once."""
    parts = (
        (facts.failed, "failed", "failed"),
        (facts.cancelled, "was not fetched", "were not fetched"),
        # A job at work is never cancelled, nor is one that another run needs.
        (facts.remaining, "is still being fetched", "are still being fetched"),
    )
    rest = [
        f"{number(count, facts.locale)} {one if count == 1 else many}" for count, one, many in parts if count
    ]
    done = f": {number(facts.done, facts.locale)} of {_releases(facts.total, facts)} were done"
    return ", ".join([done, *rest]) if facts.cancelled or facts.remaining else ""


def _paused(facts: Facts) -> StatusLine:
    left = facts.remaining - facts.at_work
    wait = f"{_releases(left, facts)} {'waits' if left == 1 else 'wait'} until you resume"
    if facts.at_work:
        are = "is" if facts.at_work == 1 else "are"
        at_work = f"{_releases(facts.at_work, facts)} already with the workers {are} still fetched"
        wait = f"{at_work}; {wait}" if left else f"{at_work}; resume to finish"
    return StatusLine(Kind.OWNER, f"Paused. {wait}. Prices fetched so far are kept.", "paused")


def _shut(facts: Facts) -> StatusLine:
    wait = duration(ceil(facts.pause_seconds), facts.locale)
    if facts.is_outage:
        again = "This site tries it again now" if facts.is_probing else f"Next attempt in {wait}"
        text = f"Discogs does not answer. {again}; the sync continues by itself."
        return StatusLine(Kind.WAITING, text, "Discogs does not answer")
    text = f"Waiting {wait} for Discogs. It asked this site to slow down; the sync continues by itself."
    return StatusLine(Kind.WAITING, text, "waiting for Discogs")


def _importing(facts: Facts) -> StatusLine:
    if facts.import_error:
        text = f"The last attempt to read your collection failed: {facts.import_error} It is tried again by itself."
        return StatusLine(Kind.WAITING, text, "trying again to read your collection")
    if facts.is_read:
        text = "Your collection has been read. Its prices follow in a moment."
        return StatusLine(Kind.WORKING, text, "choosing what to fetch")
    what, unit = ("wantlist", "releases") if facts.stage == "wants" else ("collection", "copies")
    so_far = f": {number(facts.read, facts.locale)} of {number(facts.expected, facts.locale)} {unit}"
    text = f"Reading your {what}{so_far if facts.expected else ''}. Prices follow automatically."
    return StatusLine(Kind.WORKING, text, f"Reading your {what}")


def _running(facts: Facts) -> StatusLine:
    if not facts.remaining:
        return StatusLine(Kind.WORKING, "Finishing.", "finishing")
    if facts.waiting == facts.remaining and facts.retry_in > 0:
        soon = duration(ceil(facts.retry_in), facts.locale)
        text = f"{_releases(facts.waiting, facts)} could not be fetched yet; next attempt in {soon}."
        return StatusLine(Kind.WAITING, text, "next attempt soon")
    left = duration(ceil(facts.seconds_left), facts.locale)
    if facts.others_ahead:
        ahead = number(facts.others_ahead, facts.locale)
        go = "goes" if facts.others_ahead == 1 else "go"
        text = f"At least {left} left: other syncs share the limit, and {ahead} of their requests {go} first."
        return StatusLine(Kind.WORKING, text, f"at least {left}")
    text = f"About {left} left, done at {facts.ends_at}. You can close this page."
    return StatusLine(Kind.WORKING, text, left)


def _releases(count: int, facts: Facts) -> str:
    return f"{number(count, facts.locale)} {'release' if count == 1 else 'releases'}"
