"""A pool of green connections: the shell that does the I/O which the ledger decides.

pool = Pool("postgresql:///app", max_size=20)

with pool.connection() as c:                # autocommit
    row = c.fetch_one("SELECT name FROM people WHERE id = %s", (7,))

with pool.transaction() as tx:              # BEGIN ... COMMIT, or ROLLBACK after an error
    tx.execute("UPDATE accounts SET cents = cents - 5 WHERE id = 1")
    tx.execute("UPDATE accounts SET cents = cents + 5 WHERE id = 2")
"""

from __future__ import annotations

import logging
import random
import time

import gevent
from gevent.event import Event

from colorless import forks
from colorless.lowlevel import remaining
from colorless.patched import require_patched
from colorless.postgres.cancel import CancelFailed, require_cancel
from colorless.postgres.connect import connect
from colorless.postgres.connection import Connection
from colorless.postgres.errors import PoolClosed, PoolFull, waited_too_long
from colorless.postgres.lease import Lease, Transaction
from colorless.postgres.ledger import Ledger, Slot
from colorless.postgres.statements import Statements
from colorless.postgres.waiter import Expiry, Waiter, wake

log = logging.getLogger("colorless.postgres")

# Guessed: a cancel request is one round trip; a server that needs longer is in trouble anyway.
CANCEL_TIMEOUT = 5.0

LOST = 2  # what psycopg2's ``closed`` is for a connection that broke

# What stats() counts.
_EVENTS = (
    "opened",
    "connect_failed",
    "replaced",
    "discarded",
    "cancelled",
    "waited",
    "timed_out",
    "refused",
)


class Pool:
    """psycopg2 connections, opened when first needed. Times in seconds.

    A forked child starts with an empty pool of its own and leaves its parent's connections alone.

    :param dsn: where PostgreSQL is, as libpq takes it: a URL, or ``key=value`` pairs.
    :param max_size: connections per process, at most.
    :param max_waiting: how many callers may queue; the next gets :class:`PoolFull` at once.
    :param timeout: how long a caller waits for a connection before :class:`PoolTimeout`.
    :param connect_timeout: how long connecting to each address of the server may take.
    :param max_lifetime: connections older than this are replaced (a tenth less for some, so that
        they do not all end together).
    :param max_idle: connections unused for this long are closed.
    :param check_after: a connection unused for this long is asked whether it still lives before
        it is given out.
    :param transaction_pooler: ``dsn`` leads to a pooler in transaction mode (PgBouncer, say), so
        nothing may be kept in a session: no prepared statements, no statement_timeout.
    """

    def __init__(
        self,
        dsn: str,
        *,
        max_size: int = 10,
        max_waiting: int = 1000,
        timeout: float = 5.0,
        connect_timeout: float = 5.0,
        max_lifetime: float = 3600.0,
        max_idle: float = 600.0,
        check_after: float = 5.0,
        transaction_pooler: bool = False,
    ) -> None:
        require_patched("colorless.postgres.Pool")
        require_cancel()
        if max_size < 1:
            raise ValueError(f"a pool of max_size={max_size} lends nothing: give it 1 or more")
        self._dsn = dsn
        self._max_size = max_size
        self._max_waiting = max_waiting
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self._max_lifetime = max_lifetime
        self._max_idle = max_idle
        self._check_after = check_after
        self._transaction_pooler = transaction_pooler
        self._start()

    def connection(self) -> Lease:
        """``with pool.connection() as c:`` lends a connection in autocommit mode.

        Entering raises :class:`PoolFull`, :class:`PoolTimeout`, :class:`PoolClosed`,
        ``DeadlineExceeded``, or what connecting raised. A block that ends inside a transaction
        raises :class:`TransactionLeftOpen`, and the connection is closed.
        """
        return Lease(self)

    def transaction(self) -> Transaction:
        """``with pool.transaction() as tx:`` is BEGIN, then COMMIT, or ROLLBACK after an error.

        Raises what :meth:`connection` raises. If COMMIT itself is interrupted, nobody knows
        whether it happened: ask the database again.
        """
        return Transaction(self)

    def stats(self) -> dict[str, int]:
        """Connections and callers by state, and counts of events since this process began."""
        self._notice_fork()
        ledger = self._ledger
        return {
            "max_size": ledger.max_size,
            "size": ledger.size,
            "idle": len(ledger.idle),
            "in_use": ledger.size - len(ledger.idle) - self._cancelling,
            "cancelling": self._cancelling,
            "waiting": len(ledger.waiting),
            **self._events,
        }

    def close(self, timeout: float = 5.0) -> None:
        """Give out no more connections; close the idle ones, and the others as they come back.

        Waits up to ``timeout`` seconds until all are closed.
        """
        self._notice_fork()
        tickets, idle = self._ledger.close()
        for ticket in tickets:
            wake(ticket)
        self._drop(idle)
        self._sweeper.close()
        if self._ledger.size:
            self._all_closed.wait(timeout)

    # What Lease and Transaction call.

    def take(self) -> Slot[Connection]:
        """A slot with a live connection, for whoever calls :meth:`put` for it afterwards."""
        self._notice_fork()
        slot = self._ledger.take() or self._queue()
        if slot.connection is None:
            self._open(slot)
            return slot
        # Idle for long, or since before another connection was lost: check that it still works.
        since = slot.idle_since
        if since < self._doubted or since < time.monotonic() - self._check_after:
            self._renew(slot)
        return slot

    def put(self, slot: Slot[Connection], error: BaseException | None) -> None:
        """Take back a slot whose user ended with ``error``, and keep or close its connection."""
        connection = slot.connection
        assert connection is not None
        interrupted = error is not None and not isinstance(error, Exception)
        now = time.monotonic()
        if interrupted or not connection.is_clean() or slot.expires <= now or self._ledger.closed:
            self._discard(slot, connection)
            return
        if not connection.autocommit:
            connection.autocommit = True
        self._give_back(slot, now)

    # The rest is the pool's own.

    def _notice_fork(self) -> None:
        """In a process that has not used this pool yet, begin with an empty one.

        The parent's connections are left alone: not closed, which would end the parent's sessions;
        and psycopg2 does not close them either.
        """
        if self._forks != forks.count:
            self._start()

    def _start(self) -> None:
        self._forks = forks.count
        self._ledger: Ledger[Connection] = Ledger(self._max_size, self._max_waiting)
        self._expiry = Expiry(self._ledger)
        self._events = dict.fromkeys(_EVENTS, 0)
        self._failure: str | None = None  # of the last attempt to connect
        self._cancelling = 0
        self._doubted = 0.0  # connections idle since before then may have been lost
        self._all_closed = Event()
        period = min(max(self._max_idle / 4, 0.001), 60.0)
        self._sweeper = gevent.get_hub().loop.timer(period, period, ref=False)

    def _queue(self) -> Slot[Connection]:
        """Wait in the queue for a slot, as long as the timeout and the deadline allow."""
        remaining()  # a caller whose deadline has passed does not queue
        ticket = Waiter(time.monotonic() + self._timeout)
        try:
            self._ledger.queue(ticket)
        except PoolFull:
            self._events["refused"] += 1
            raise
        self._events["waited"] += 1
        self._expiry.watch()
        try:
            ticket.wait()
        except BaseException:
            wake(self._ledger.leave(ticket, time.monotonic()))
            raise
        if ticket.slot is not None:
            return ticket.slot
        if ticket.late:
            self._events["timed_out"] += 1
            raise waited_too_long(self._timeout, self._max_size, self._failure)
        raise PoolClosed("the pool was closed while this caller waited for a connection")

    def _open(self, slot: Slot[Connection]) -> None:
        try:
            connection = connect(self._dsn, self._connect_timeout)
        except BaseException as error:
            self._failure = str(error)
            self._events["connect_failed"] += 1
            self._give_back(slot, time.monotonic())
            raise
        self._failure = None
        self._events["opened"] += 1
        if self._ledger.closed:
            connection.close()
            self._give_back(slot, time.monotonic())
            raise PoolClosed("the pool was closed while this caller connected")
        if not self._transaction_pooler:
            connection.statements = Statements()
        slot.connection = connection
        slot.expires = time.monotonic() + self._max_lifetime * random.uniform(0.9, 1.0)  # noqa: S311
        if not self._sweeper.active:
            self._sweeper.start(self._sweep)

    def _renew(self, slot: Slot[Connection]) -> None:
        """Replace the connection if it is too old or does not answer."""
        connection = slot.connection
        assert connection is not None
        try:
            alive = slot.expires > time.monotonic() and connection.answers(self._connect_timeout)
        except BaseException:
            self._discard(slot, connection)
            raise
        if not alive:
            self._events["replaced"] += 1
            connection.close()
            slot.connection = None
            self._open(slot)

    def _discard(self, slot: Slot[Connection], connection: Connection) -> None:
        """Close the connection, and free the slot once the server does not work for it any more."""
        slot.connection = None
        self._events["discarded"] += 1
        if connection.user is not None or connection.canceller is not None:
            self._cancelling += 1
            gevent.spawn(self._cancel, slot, connection)
            return
        if connection.closed == LOST:
            self._doubted = time.monotonic()  # the idle ones may have been lost with it
        connection.close()
        self._give_back(slot, time.monotonic())

    def _cancel(self, slot: Slot[Connection], connection: Connection) -> None:
        """The server still works for a user that was interrupted, or for a green thread that went
        on using the connection behind the end of its block."""
        try:
            connection.interrupt()
            connection.close()
            if connection.canceller is not None:
                connection.canceller.cancel(CANCEL_TIMEOUT)
                self._events["cancelled"] += 1
        except CancelFailed as error:
            log.warning("a query goes on in the server though nobody waits for it: %s", error)
        finally:
            self._cancelling -= 1
            self._give_back(slot, time.monotonic())

    def _give_back(self, slot: Slot[Connection], now: float) -> None:
        wake(self._ledger.give_back(slot, now))
        if self._ledger.closed and not self._ledger.size:
            self._all_closed.set()

    def _sweep(self) -> None:
        """Close what was idle for too long. Runs in the hub, so it must not wait."""
        self._drop(self._ledger.take_idle_since(time.monotonic() - self._max_idle))

    def _drop(self, slots: list[Slot[Connection]]) -> None:
        for slot in slots:
            assert slot.connection is not None
            slot.connection.close()
            slot.connection = None
            self._give_back(slot, time.monotonic())
