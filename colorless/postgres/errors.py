"""What can go wrong between a caller and its connection, beside what the server itself says.

    psycopg2.OperationalError            not the caller's fault; trying again later may help
    ├── PoolFull                         too many are waiting already
    ├── PoolTimeout                      every connection stayed busy for as long as one may wait
    ├── PoolClosed                       the pool was closed
    └── ConnectTimeout                   the server did not let us in in time
    psycopg2.ProgrammingError            the program must change
    ├── ConnectionShared                 two green threads used one connection at the same time
    ├── TransactionLeftOpen              a block ended while its transaction had not
    └── NotCooperative                   COPY or a large object, which psycopg2 can only do blocking

All else that psycopg2 raises passes through as it is.
"""

import gevent
from psycopg2 import OperationalError, ProgrammingError


class PoolFull(OperationalError):
    """All connections are in use, and ``max_waiting`` callers wait for one already."""


class PoolTimeout(OperationalError):
    """No connection became free within the pool's ``timeout``."""


class PoolClosed(OperationalError):
    """The pool was closed; it gives out no more connections."""


class ConnectTimeout(OperationalError):
    """The server did not accept a connection within ``connect_timeout``."""


class ConnectionShared(ProgrammingError):
    """A green thread used a connection while another one waited for an answer on it."""


class TransactionLeftOpen(ProgrammingError):
    """A ``with pool.connection()`` block ended inside a transaction."""


class NotCooperative(ProgrammingError):
    """psycopg2 can only do this by blocking the whole process, so it refuses."""


def shared(user: gevent.Greenlet) -> ConnectionShared:
    """The error for a caller that uses a connection on which ``user`` waits for an answer."""
    return ConnectionShared(
        f"{gevent.getcurrent()!r} used a connection while {user!r} waits for an answer on it. "
        f"A connection serves one green thread at a time: let each take its own with "
        f"'with pool.connection() as c:'"
    )


def outlived(user: gevent.Greenlet) -> ConnectionShared:
    """The error for ``user``, which waits on a connection whose block has ended."""
    return ConnectionShared(
        f"{user!r} still waited for an answer on a connection when the 'with pool.connection()' "
        f"block that lent it ended. Wait for the green thread inside the block, or let it take a "
        f"connection of its own"
    )


def not_cooperative(what: str) -> NotCooperative:
    """The error for ``what``, which psycopg2 can only do by blocking."""
    return NotCooperative(
        f"psycopg2 can do {what} only by blocking every green thread of the process, so it "
        f"refuses. Use execute_values() or INSERT ... SELECT FROM unnest() for many rows, or run "
        f"it in a process of its own; docs/postgres.md shows both"
    )


def waited_too_long(seconds: float, size: int, failure: str | None) -> PoolTimeout:
    """The error for a caller that got no connection. ``failure`` is why the last attempt to open
    one failed."""
    late = PoolTimeout(
        f"no connection became free in {seconds:g} s: all {size} are in use. "
        f"Raise max_size, or hold connections for a shorter time"
    )
    if failure is not None:
        late.add_note(f"the last attempt to connect failed: {failure}")
    return late
