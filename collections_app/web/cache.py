"""The shared cache in the database, which raises an error when the database fails."""

from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import DatabaseCache
from django.db import OperationalError, connections, router


class StrictDatabaseCache(DatabaseCache):
    """Raises OperationalError if a value could not be written.

    Django's own returns False, as if the key existed, so a limit that could not be counted would look exceeded.
    """

    def _base_set(
        self, mode: str, key: str, value: Any, timeout: float | object | None = DEFAULT_TIMEOUT
    ) -> bool:
        connection = connections[router.db_for_write(self.cache_model_class)]
        before, connection.errors_occurred = connection.errors_occurred, False
        try:
            is_written: bool = super()._base_set(mode, key, value, timeout)  # type: ignore[misc]
            # Django sets this for every error except those of a single row, such as a key another process added first.
            has_failed = connection.errors_occurred
        finally:
            connection.errors_occurred = connection.errors_occurred or before
        if has_failed and not is_written:
            raise OperationalError("the cache could not be written")
        return is_written
