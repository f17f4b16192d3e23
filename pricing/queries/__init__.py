"""What pages and commands read. Returns small frozen dataclasses; writes nothing."""

from pricing.queries.progress import Progress, progress_of
from pricing.queries.values import PRICE_CURRENCY, counted, fresh_for, holdings_of, value_for

__all__ = [
    "PRICE_CURRENCY",
    "Progress",
    "counted",
    "fresh_for",
    "holdings_of",
    "progress_of",
    "value_for",
]
