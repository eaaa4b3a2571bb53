"""What ``with pool.connection()`` yields: a psycopg2 connection with three verbs for queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import gevent
from psycopg2 import InterfaceError, OperationalError, extensions

from colorless.deadlines import limit, remaining
from colorless.postgres.cancel import Canceller
from colorless.postgres.errors import ConnectionShared, NotCooperative
from colorless.postgres.watchers import Watchers

Params = Sequence[Any] | Mapping[str, Any] | None
Row = tuple[Any, ...]


class Cursor(extensions.cursor):
    """psycopg2's cursor, with errors that say what to do."""

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - psycopg2's name
        """As psycopg2's; raises :class:`ConnectionShared` while a green thread waits on it."""
        connection = self.connection
        if isinstance(connection, Connection):
            connection.check_not_in_use()
        super().execute(query, vars)

    def copy_from(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Not possible; raises :class:`NotCooperative`."""
        raise _not_cooperative("copy_from")

    def copy_to(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Not possible; raises :class:`NotCooperative`."""
        raise _not_cooperative("copy_to")

    def copy_expert(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Not possible; raises :class:`NotCooperative`."""
        raise _not_cooperative("copy_expert")


class Connection(extensions.connection):
    """A connection for one green thread at a time, in autocommit mode.

    Everything of psycopg2's connection is there; ``fetch_all``, ``fetch_one`` and ``execute``
    are shorter, and name both green threads when two use the connection at the same time.
    """

    # Kept by the wait callback:
    user: gevent.Greenlet | None = None  # who waits for an answer right now
    canceller: Canceller | None = None  # set when that wait was interrupted
    watchers: Watchers | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().__init__(*args, **kwargs)
        except BaseException:
            # Interrupted while connecting. The traceback keeps this object, and so the session in
            # the server, alive for nobody knows how long.
            self.close()
            raise

    def fetch_all(self, sql: str, params: Params = None) -> list[Row]:
        """Every row that ``sql`` returns. ``%s`` in it stands for one of ``params``."""
        with self._run(sql, params) as cursor:
            return cursor.fetchall()

    def fetch_one(self, sql: str, params: Params = None) -> Row | None:
        """The first row that ``sql`` returns, or ``None``."""
        with self._run(sql, params) as cursor:
            return cursor.fetchone()

    def execute(self, sql: str, params: Params = None) -> int:
        """Run ``sql``; the number of rows that it changed or returned."""
        with self._run(sql, params) as cursor:
            return cursor.rowcount

    def lobject(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Not possible; raises :class:`NotCooperative`."""
        raise _not_cooperative("lobject")

    def interrupt(self) -> None:
        """End the wait of the green thread that uses it, if any, which closes the connection."""
        if self.user is not None:
            gevent.get_hub().loop.run_callback(self._throw_into, self.user)
            gevent.sleep(0)

    def _throw_into(self, user: Any) -> None:
        still_waits = self.user is user  # else it has its answer, and is somewhere else by now
        if still_waits:
            user.throw(_outlived(user))

    def is_clean(self) -> bool:
        """Whether the next user may have it: open, and not inside a transaction."""
        return not self.closed and (
            self.get_transaction_status() == extensions.TRANSACTION_STATUS_IDLE
        )

    def answers(self, timeout: float) -> bool:
        """Whether the server answers within ``timeout`` seconds."""
        late = OperationalError(f"no answer in {timeout:g} s")
        try:
            with limit(timeout, late):
                self.fetch_one("SELECT 1")
        except (OperationalError, InterfaceError):
            return False
        return True

    def close(self) -> None:
        """Close it. Raises :class:`ConnectionShared` while a green thread waits for an answer."""
        self.check_not_in_use()
        self.drop_watchers()
        super().close()

    def drop_watchers(self) -> None:
        """Close the watchers of its socket, if it has any."""
        if self.watchers is not None:
            self.watchers.close()
            self.watchers = None

    def commit(self) -> None:
        """As psycopg2's; only of use when ``autocommit`` was switched off."""
        self.check_not_in_use()
        super().commit()

    def rollback(self) -> None:
        """As psycopg2's; only of use when ``autocommit`` was switched off."""
        self.check_not_in_use()
        super().rollback()

    def _run(self, sql: str, params: Params) -> extensions.cursor:
        remaining()  # a query that starts after the deadline does not start
        self.check_not_in_use()
        cursor = self.cursor()
        cursor.execute(sql, params)
        return cursor

    def check_not_in_use(self) -> None:
        """Raise :class:`ConnectionShared` while a green thread waits for an answer on it."""
        # psycopg2 holds a lock while it waits: to enter it a second time would hang the process.
        if self.user is not None:
            raise _shared(self.user)


def _shared(user: gevent.Greenlet) -> ConnectionShared:
    return ConnectionShared(
        f"{gevent.getcurrent()!r} used a connection while {user!r} waits for an answer on it. "
        f"A connection serves one green thread at a time: let each take its own with "
        f"'with pool.connection() as c:'"
    )


def _outlived(user: gevent.Greenlet) -> ConnectionShared:
    return ConnectionShared(
        f"{user!r} still waited for an answer on a connection when the 'with pool.connection()' "
        f"block that lent it ended. Wait for the green thread inside the block, or let it take a "
        f"connection of its own"
    )


def _not_cooperative(what: str) -> NotCooperative:
    return NotCooperative(
        f"psycopg2 can do {what} only by blocking every green thread of the process, so it "
        f"refuses. Use execute_values() or INSERT ... SELECT FROM unnest() for many rows, or run "
        f"it in a process of its own; docs/postgres.md shows both"
    )
