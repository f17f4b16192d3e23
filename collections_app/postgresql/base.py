from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.db.backends.postgresql.psycopg_any import IsolationLevel

HEALTH_CHECK = 3.0  # seconds


class Connection(psycopg.Connection[Any]):
    """A connection that waits at most `answer_timeout` seconds for each answer, then closes itself.

    The server's own timeouts end a long statement. They do not help if the server is frozen: its machine still
    acknowledges what arrives, so neither keepalives nor TCP timeouts detect it.
    """

    answer_timeout: float | None = None  # seconds; None waits without a limit

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            return super().wait(gen, interval, self.answer_timeout if timeout is None else timeout)
        except psycopg.errors._WaitTimeout:
            self.pgconn.finish()  # stopped in the middle of an answer, so it cannot be used again
            raise psycopg.OperationalError("the server did not answer in time") from None

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Shorten answer_timeout inside this context."""
        before = self.answer_timeout
        if before is not None:
            self.answer_timeout = min(before, seconds)
        try:
            yield
        finally:
            self.answer_timeout = before


class DatabaseWrapper(base.DatabaseWrapper):
    """Adds the option `answer_timeout`: the seconds that an answer may take."""

    def get_connection_params(self) -> dict[str, Any]:
        parameters = super().get_connection_params()
        parameters.pop("answer_timeout", None)
        return parameters

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        self.isolation_level = IsolationLevel.READ_COMMITTED
        connection = Connection.connect(**conn_params)
        connection.answer_timeout = self.settings_dict["OPTIONS"].get("answer_timeout")
        return connection

    def is_usable(self) -> bool:
        if self.connection is None:
            return False
        with self.connection.within(HEALTH_CHECK):
            return bool(super().is_usable())
