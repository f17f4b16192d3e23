"""The queries of pages and commands. They return small frozen dataclasses and write nothing."""

from pricing.pages.queries.accuracy import accuracy_page_for, narrowing_for
from pricing.pages.queries.dashboard import dashboard_for, headline_for
from pricing.pages.queries.failures import failures_of
from pricing.pages.queries.groups import DEFAULT_GROUPING, GROUPINGS
from pricing.pages.queries.release import release_for
from pricing.pages.queries.sync_status import Live, live_for, live_of
from pricing.pages.tables.collection import ListQuery, collection_for
from pricing.pages.tables.printed import printed_for
from pricing.pages.time_limit import TookTooLong
from pricing.sync.progress import Progress, active_run_of, progress_of, runs_for
from pricing.value.current import value_for
from pricing.value.found import found_by

__all__ = [
    "DEFAULT_GROUPING",
    "GROUPINGS",
    "ListQuery",
    "Live",
    "Progress",
    "TookTooLong",
    "accuracy_page_for",
    "active_run_of",
    "collection_for",
    "dashboard_for",
    "failures_of",
    "found_by",
    "headline_for",
    "live_for",
    "live_of",
    "narrowing_for",
    "printed_for",
    "progress_of",
    "release_for",
    "runs_for",
    "value_for",
]
