"""What keeps a log readable when one thing fails again and again."""

import logging
import mmap
import re
import struct
import time
import zlib

WINDOW = 60.0  # seconds in which the same is said once
SLOTS = 64
_SLOT = struct.Struct("ddd")  # kind, when it was said last, how often it was swallowed since


class FirstOfAKind(logging.Filter):
    """Lets the first error of a kind through, counts its repetitions, and names their number a minute later.

    A kind is the place that logs, the type of the exception and what the message names first. The counts are in memory
    that forked processes share: a process that is replaced every few seconds would otherwise always be the first.
    Without a lock: a process killed while it holds one would silence all others for ever. At worst a line is doubled.
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
        known, said_at, swallowed = _SLOT.unpack_from(self._memory, at)
        now = time.monotonic()
        if known == kind and 0 <= now - said_at < WINDOW:
            _SLOT.pack_into(self._memory, at, kind, said_at, swallowed + 1)
            return False
        _SLOT.pack_into(self._memory, at, kind, now, 0)
        if known == kind and swallowed:
            record.msg = f"{record.getMessage()} ({swallowed:.0f} more like this before)"
            record.args = None
        return True


def _kind_of(record: logging.LogRecord) -> str:
    text = str(record.msg)
    named = re.search(r"'([^']+)'", text)
    # A failed task comes as a text that ends with its exception.
    error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else _last_name(text)
    return f"{record.name}:{record.pathname}:{record.lineno}:{named[1] if named else ''}:{error}"


def _last_name(text: str) -> str:
    match = re.match(r"[\w.]+(?=:)", text.strip().rpartition("\n")[2])
    return match[0] if match else ""
