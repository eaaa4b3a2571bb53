"""What ``with pool.connection()`` yields: a psycopg2 connection with three verbs for queries."""

from __future__ import annotations

from typing import Any, NoReturn

import gevent
import psycopg2
from psycopg2 import InterfaceError, OperationalError, extensions
from psycopg2.errors import FeatureNotSupported, InvalidSqlStatementName
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_INTRANS

from colorless.lowlevel import Watchers, limit, remaining
from colorless.postgres.cancel import Canceller
from colorless.postgres.errors import not_cooperative, outlived, shared
from colorless.postgres.statements import Call, Params, Statement, Statements

Row = tuple[Any, ...]

# Guessed: the kept cursor holds on to its last result, which should not be a big one.
KEPT_ROWS = 1000


class Connection(extensions.connection):
    """A connection for one green thread at a time, in autocommit mode.

    Everything of psycopg2's connection is there; ``fetch_all``, ``fetch_one`` and ``execute``
    are shorter, and faster: they prepare what is run often. They also tell the server the time
    that the caller's deadline leaves.
    """

    # Kept by the wait callback:
    user: gevent.Greenlet | None = None  # who waits for an answer right now
    canceller: Canceller | None = None  # set when that wait was interrupted
    watchers: Watchers | None = None

    # What the session in the server keeps; None when nothing may be kept in it.
    statements: Statements | None = None
    _statement_timeout = 0  # seconds; 0 is the server's own setting

    _cursor: extensions.cursor | None = None  # of the three verbs

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().__init__(*args, **kwargs)
        except BaseException:
            # Interrupted while connecting. The traceback keeps this object alive, and with it the
            # session in the server.
            self.close()
            raise

    def fetch_all(self, sql: str, params: Params = None) -> list[Row]:
        """Run a statement and return all its rows.

        :param sql: with ``%s``, or ``%(name)s``, where a parameter goes.
        :param params: a sequence, or a mapping by name.
        :raises psycopg2.Error: what psycopg2 raises.
        :raises DeadlineExceeded: the caller's deadline has passed. The query ends in the server.
        :raises ConnectionShared: another green thread waits for an answer on this connection.
        """
        cursor = self._run(sql, params)
        rows = cursor.fetchall()
        if len(rows) > KEPT_ROWS:
            self._cursor = None
        return rows

    def fetch_one(self, sql: str, params: Params = None) -> Row | None:
        """Run a statement and return its first row, or ``None``. ``sql``, ``params`` and errors
        are those of :meth:`fetch_all`."""
        cursor = self._run(sql, params)
        row = cursor.fetchone()
        if cursor.rowcount > KEPT_ROWS:
            self._cursor = None
        return row

    def execute(self, sql: str, params: Params = None) -> int:
        """Run a statement and return how many rows it changed. ``sql``, ``params`` and errors are
        those of :meth:`fetch_all`."""
        cursor = self._run(sql, params)
        count = cursor.rowcount
        if count > KEPT_ROWS:
            self._cursor = None
        return count

    def answers(self, timeout: float) -> bool:
        """Whether the server answers within ``timeout`` seconds."""
        late = OperationalError(f"no answer in {timeout:g} s")
        try:
            with limit(timeout, late):
                self._send("SELECT 1", None)
        except (OperationalError, InterfaceError):
            return False
        return True

    def is_clean(self) -> bool:
        """Whether it can be lent again: it is open, and outside of a transaction."""
        return not self.closed and self.get_transaction_status() == TRANSACTION_STATUS_IDLE

    def _run(self, sql: str, params: Params) -> extensions.cursor:
        left = remaining()  # a query that starts after the deadline does not start
        if self.user is not None:
            raise shared(self.user)
        statements = self.statements
        if statements is None:
            return self._send(sql, params)
        seconds = 0 if left is None else 1 << int(left).bit_length()
        if seconds != self._statement_timeout:
            self._set_statement_timeout(seconds)
        call = statements.call(sql, params) or self._prepared_call(sql, params)
        if call is None:
            return self._send(sql, params)
        try:
            return self._send(*call)
        except (FeatureNotSupported, InvalidSqlStatementName):
            # The table was altered ("cached plan must not change result type"), or somebody sent
            # DISCARD or DEALLOCATE. Nothing has happened yet, so outside a transaction, which
            # would be lost, the statement can be sent as it is.
            self._forget_statements()
            if self.get_transaction_status() != TRANSACTION_STATUS_IDLE:
                raise
            return self._send(sql, params)

    def _send(self, sql: str | bytes, params: Params) -> extensions.cursor:
        cursor = self._cursor
        if cursor is None:
            cursor = self._cursor = extensions.cursor(self)
        cursor.execute(sql, params)
        return cursor

    def _set_statement_timeout(self, seconds: int) -> None:
        """Make the server give up on its own, should no cancel request reach it.

        ``seconds`` is the time left, rounded up to a power of two, so that it seldom changes. Not
        inside a transaction: a ROLLBACK would undo it.
        """
        if self.get_transaction_status() != TRANSACTION_STATUS_IDLE:
            return
        if 0 < seconds < 2**21:  # PostgreSQL counts milliseconds in 31 bits
            self._send(f"SET statement_timeout = {seconds * 1000}", None)
        else:
            self._send("RESET statement_timeout", None)
        self._statement_timeout = seconds

    def _prepared_call(self, sql: str, params: Params) -> Call | None:
        """What to send in place of ``sql``; prepares it first if it has run often enough."""
        assert self.statements is not None
        statement = self.statements.find(sql, params)
        if statement is None or (statement.prepare is not None and not self._prepare(statement)):
            return None
        assert statement.execute is not None
        self.statements.learn(statement, sql, params)
        return statement.execute, params

    def _prepare(self, statement: Statement) -> bool:
        """Prepare it in the server. ``False`` if the server refuses; then it is not tried again."""
        assert self.statements is not None
        assert statement.prepare is not None
        status = self.get_transaction_status()
        if status not in (TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_INTRANS):
            return False  # a failed transaction
        if self.statements.is_full():
            self._forget_statements()
            return False
        try:
            if status == TRANSACTION_STATUS_IDLE:
                self._send(statement.prepare, None)
            else:
                self._send(f"SAVEPOINT colorless; {statement.prepare}; RELEASE colorless", None)
        except psycopg2.Error:
            if self.closed:
                raise
            if status == TRANSACTION_STATUS_INTRANS:
                self._send("ROLLBACK TO colorless; RELEASE colorless", None)
            statement.execute = None
            return False
        statement.prepare = None
        return True

    def _forget_statements(self) -> None:
        """Forget all prepared statements. Inside a transaction the server keeps them; new ones get
        other names."""
        assert self.statements is not None
        self.statements.clear()
        if self.get_transaction_status() == TRANSACTION_STATUS_IDLE:
            self._send("DEALLOCATE ALL", None)

    def interrupt(self) -> None:
        """End the wait of the green thread that uses this connection, if any. psycopg2 then closes
        the connection."""
        if self.user is not None:
            gevent.get_hub().loop.run_callback(self._throw_into, self.user)
            gevent.sleep(0)

    def _throw_into(self, user: Any) -> None:
        still_waits = self.user is user  # else it has its answer, and may wait for something else
        if still_waits:
            user.throw(outlived(user))

    def drop_watchers(self) -> None:
        """Close the watchers of its socket, if it has any."""
        if self.watchers is not None:
            self.watchers.close()
            self.watchers = None

    def check_not_in_use(self) -> None:
        """Raise ``ConnectionShared`` while a green thread waits for an answer on it.

        psycopg2 holds a lock while it waits: to enter it a second time would hang the process.
        """
        if self.user is not None:
            raise shared(self.user)

    def close(self) -> None:
        """As psycopg2's; raises ``ConnectionShared`` while a green thread waits on it."""
        self.check_not_in_use()
        self.drop_watchers()
        super().close()

    def commit(self) -> None:
        """As psycopg2's; only of use when ``autocommit`` was switched off."""
        self.check_not_in_use()
        super().commit()

    def rollback(self) -> None:
        """As psycopg2's; only of use when ``autocommit`` was switched off."""
        self.check_not_in_use()
        super().rollback()

    def lobject(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Not possible; raises ``NotCooperative``."""
        raise not_cooperative("large objects")
