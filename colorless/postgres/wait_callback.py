"""The wait callback: psycopg2 calls it for every wait for the server. Ours, or psycogreen's.

There are two ways to wait. psycogreen's makes an io watcher for each wait and is the reference;
:func:`wait_with_kept_watchers` keeps a pair of them on each connection. Both pass the same
tests. ``COLORLESS_WAIT=psycogreen`` in the environment switches to the reference.
"""

from __future__ import annotations

from collections.abc import Callable

from gevent import get_hub, getcurrent
from psycogreen.gevent import gevent_wait_callback
from psycopg2 import extensions
from psycopg2.extensions import POLL_OK, POLL_READ, TRANSACTION_STATUS_ACTIVE

from colorless import psycopg2_wait
from colorless.lowlevel import Watchers, inherited_limit
from colorless.postgres.cancel import Canceller
from colorless.postgres.connection import Connection

Wait = Callable[[extensions.connection], None]


def install(name: str | None = None) -> Wait:
    """Make psycopg2 wait in the way called ``name``, for every connection of the process.

    Without a name it is what ``COLORLESS_WAIT`` in the environment says, or ``kept``.
    Returns the callback.
    """
    callback = _observed(WAYS[name or psycopg2_wait.way()])
    extensions.set_wait_callback(callback)
    return callback


def wait_with_kept_watchers(connection: Connection) -> None:
    """Wait until the server has answered, on the connection's own pair of watchers."""
    hub = get_hub()
    resume = getcurrent().switch
    poll = connection.poll
    while (state := poll()) != POLL_OK:
        watchers = connection.watchers
        if (
            watchers is None
            or watchers.descriptor != connection.fileno()
            or watchers.hub is not hub  # each real thread has a hub of its own
        ):
            # A new connection, or one that moved on to the next address while it is connecting.
            connection.drop_watchers()
            watchers = connection.watchers = Watchers(hub, connection.fileno())
        watcher = watchers.read if state == POLL_READ else watchers.write
        # hub.wait() without its Waiter, which guards against stray switches: poll() is asked again.
        watcher.start(resume)
        try:
            hub.switch()
        finally:
            watcher.stop()


WAYS: dict[str, Callable[[Connection], None]] = {
    "kept": wait_with_kept_watchers,
    "psycogreen": gevent_wait_callback,
}


def _observed(wait: Callable[[Connection], None]) -> Wait:
    """``wait``, noting on the pool's connections who waits, and what an interrupt left behind."""

    def observed(connection: extensions.connection) -> None:
        if not isinstance(connection, Connection):
            gevent_wait_callback(connection)
            return
        connection.user = getcurrent()
        timer = inherited_limit()
        try:
            wait(connection)
        except BaseException:
            # psycopg2 is about to close the connection; what the server does for it goes on.
            connection.drop_watchers()
            if _has_query(connection):
                connection.canceller = Canceller(connection)
            raise
        finally:
            connection.user = None
            if timer is not None:
                timer.close()

    return observed


def _has_query(connection: Connection) -> bool:
    """Whether the server works on a query; not so while connecting, nor once it is lost."""
    return not connection.closed and (
        connection.get_transaction_status() == TRANSACTION_STATUS_ACTIVE
    )
