"""What fails again and again is logged once, then counted."""

import logging
import os

import pytest

from collections_app import logs
from collections_app.logs import FirstOfAKind


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


@pytest.fixture
def lines():
    return Lines()


@pytest.fixture
def logger(lines):
    logger = logging.Logger("a queue")
    logger.addHandler(lines)
    logger.addFilter(FirstOfAKind())
    return logger


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        at = 1000.0

        def monotonic(self):
            return self.at

    clock = Clock()
    monkeypatch.setattr(logs, "time", clock)
    return clock


def fail(logger, error: type[Exception] = ValueError, text: str = "Failed to pull") -> None:
    try:
        raise error("why")
    except error:
        logger.exception(text)


def test_filter_passes_first_and_counts_others(logger, lines, clock):
    for _ in range(50):
        fail(logger)
        clock.at += 1
    assert lines.texts == ["Failed to pull"]
    clock.at += 60
    fail(logger)
    assert lines.texts[1:] == ["Failed to pull (49 more like this before)"]


def test_filter_tells_kinds_apart(logger, lines, clock):
    for _ in range(3):
        for error in (ValueError, OSError):
            fail(logger, error)
        for task in ("one", "two"):
            logger.error(f"Failed '{task}' (purple-fox) - Traceback …\nValueError: no")
        logger.error("Failed 'one' (green-cat) - Traceback …\ndjango.db.utils.OperationalError: away")
    assert len(lines.texts) == 5


def test_filter_leaves_what_is_no_error(logger, lines, clock):
    for _ in range(3):
        logger.warning("workers: 2 instead of 3")
    assert len(lines.texts) == 3


def test_filter_of_exceptions_leaves_plain_errors(lines, clock):
    logger = logging.Logger("a supervisor")
    logger.addHandler(lines)
    logger.addFilter(FirstOfAKind(only_exceptions=True))
    for pid in range(3):
        logger.error("cluster %s ended", pid)
        fail(logger)
    assert lines.texts == ["cluster 0 ended", "Failed to pull", "cluster 1 ended", "cluster 2 ended"]


def test_filter_counts_across_forks(logger, lines, clock):
    """A process that dies of its error is replaced, and its successor would be the first again."""
    child = os.fork()
    if child == 0:
        fail(logger)
        os._exit(len(lines.texts))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    fail(logger)
    assert lines.texts == []
