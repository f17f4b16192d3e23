"""Sessions in the database, which raise an error when the database fails."""

from django.contrib.sessions.backends.base import VALID_KEY_CHARS, UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from collections_app.web.unavailable import database_error


class SessionStore(DatabaseStore):
    def save(self, must_create: bool = False) -> None:
        """Raises OperationalError when the database fails; Django's own reports that the session was deleted."""
        try:
            super().save(must_create)
        except UpdateError as error:
            if away := database_error(error):
                raise away from None
            raise

    def _validate_session_key(self, key: str | None) -> bool:
        """Refuse a cookie with characters no session key has, such as a NUL, which PostgreSQL cannot look up."""
        is_valid = super()._validate_session_key(key)  # type: ignore[misc]
        return bool(is_valid) and set(key or "") <= set(VALID_KEY_CHARS)
