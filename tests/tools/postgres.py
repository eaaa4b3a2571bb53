"""Look into the server and get in its way: who waits in it, and locks that a test holds."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gevent
import psycopg2


@contextmanager
def holding(url: str, statement: str, *values: Any) -> Iterator[psycopg2.extensions.cursor]:
    """A transaction that has run ``statement`` and keeps its locks until the block ends; it
    commits then, so what the statement changed is changed."""
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            yield cursor
    finally:
        connection.close()


class Sessions:
    """The sessions of one database, as its server sees them."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg2.connect(url)
        self._connection.autocommit = True

    def close(self) -> None:
        self._connection.close()

    def count(self, condition: str = "true") -> int:
        """How many other sessions there are; ``condition`` is on ``pg_stat_activity``."""
        with self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                f"AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND {condition}"
            )
            (number,) = cursor.fetchone() or (0,)
            return int(number)

    def waiting(self) -> int:
        """How many wait for a lock."""
        return self.count("wait_event_type = 'Lock'")

    def until_waiting(self, number: int) -> None:
        """Return when exactly so many wait for a lock."""
        self.until(number, "wait_event_type = 'Lock'")

    def until(self, number: int, condition: str = "true", seconds: float = 60) -> None:
        """Return when exactly so many other sessions satisfy the condition."""
        with gevent.Timeout(seconds, False):
            while self.count(condition) != number:
                gevent.sleep(0.01)
        found = self.count(condition)
        assert found == number, f"{found}, not {number}: {condition}"
