"""Database outages: each process logs once when the database stops answering and once when it answers again."""

import logging
import time

from django.db import InterfaceError, OperationalError

logger = logging.getLogger(__name__)

AWAY = (OperationalError, InterfaceError)

_since: float | None = None


def note_away(error: Exception) -> None:
    global _since  # noqa: PLW0603 one per process is the point
    if _since is None:
        _since = time.monotonic()
        reason = str(error).strip().partition("\n")[0]
        logger.error(
            "the database does not answer: %s. Nothing is lost; work continues when it answers.", reason
        )


def note_answer() -> None:
    global _since  # noqa: PLW0603
    if _since is not None:
        logger.warning("the database answers again, after %.0f s", time.monotonic() - _since)
        _since = None
