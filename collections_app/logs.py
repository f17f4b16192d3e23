"""A log filter that keeps repeated errors from flooding the log."""

import logging
import mmap
import re
import struct
import time
import zlib

WINDOW = 60.0  # seconds in which an error of one kind is logged once
SLOTS = 64
_SLOT = struct.Struct("ddd")  # kind, when it was last logged, how often it was suppressed since


class FirstOfAKind(logging.Filter):
    """Passes the first error of a kind, counts its repetitions, and logs their number a minute later.

    A kind is the place that logs, the type of the exception and the first quoted name in the message. The counts are in
    memory shared with forked processes: otherwise, if a process is replaced every few seconds, each would log it again.
    There is no lock: a process killed while it holds one would silence all others for ever. At worst a line is doubled.
    """

    def __init__(self, name: str = "", *, only_exceptions: bool = False) -> None:
        super().__init__(name)
        self._only_exceptions = only_exceptions
        self._memory = mmap.mmap(-1, SLOTS * _SLOT.size)

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.ERROR or (self._only_exceptions and not record.exc_info):
            return True
        kind = zlib.crc32(_kind_of(record).encode())
        at = kind % SLOTS * _SLOT.size
        known, logged_at, suppressed = _SLOT.unpack_from(self._memory, at)
        now = time.monotonic()
        if known == kind and 0 <= now - logged_at < WINDOW:
            _SLOT.pack_into(self._memory, at, kind, logged_at, suppressed + 1)
            return False
        _SLOT.pack_into(self._memory, at, kind, now, 0)
        if known == kind and suppressed:
            record.msg = f"{record.getMessage()} ({suppressed:.0f} more like this before)"
            record.args = None
        return True


def _kind_of(record: logging.LogRecord) -> str:
    text = str(record.msg)
    named = re.search(r"'([^']+)'", text)
    # A failed task is logged as a text that ends with its exception.
    error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else _last_name(text)
    return f"{record.name}:{record.pathname}:{record.lineno}:{named[1] if named else ''}:{error}"


def _last_name(text: str) -> str:
    match = re.match(r"[\w.]+(?=:)", text.strip().rpartition("\n")[2])
    return match[0] if match else ""
