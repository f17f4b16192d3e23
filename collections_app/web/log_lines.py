"""Short log lines, one each, for requests that failed through no fault of the code."""

import copy
import logging

from collections_app.web.unavailable import database_error

LOGGERS = ("django.request", "django.security")
MAX_CHARACTERS = 200


class ShortLines(logging.Formatter):
    """Keeps tracebacks for errors of the code. Bad requests and an unreachable database need none."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(_shortened(record) if record.name.startswith(LOGGERS) else record)


class OneLineEach(logging.Filter):
    """Drops Django's line about the 503 page: the error that caused it is already logged."""

    def filter(self, record: logging.LogRecord) -> bool:
        is_away = getattr(getattr(record, "request", None), "is_database_away", False)
        return not is_away or record.exc_info is not None or not record.name.startswith(LOGGERS)


def _shortened(record: logging.LogRecord) -> logging.LogRecord:
    away = database_error(record.exc_info[1]) if record.exc_info else None
    if away is None and getattr(record, "status_code", 500) >= 500:
        return record
    text = record.getMessage()[:MAX_CHARACTERS]
    if away is not None:
        reason = (str(away).splitlines() or [""])[0][:MAX_CHARACTERS]
        text = f"Service Unavailable: {text.partition(': ')[2]}: {type(away).__name__}: {reason}"
    short = copy.copy(record)
    short.msg, short.args, short.exc_info, short.exc_text = text, (), None, None
    return short
